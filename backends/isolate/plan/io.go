package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/bytesize"
	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An IOLimit bounds what all processes of the sandbox together read from a disk and
// write to it. A limit of 0 is none.
type IOLimit struct {
	// Path is a block device of the host, or a file or folder on one: that of a
	// partition stands for the whole disk.
	Path string

	// ReadBytes and WriteBytes are bytes a second, ReadOps and WriteOps operations
	// a second.
	ReadBytes, WriteBytes, ReadOps, WriteOps int64
}

// A rate is one of the four limits.
type rate struct {
	key  string // as in io.max
	file string // of version 1
	to   *int64
}

func (l *IOLimit) rates() []rate {
	return []rate{
		{"rbps", "blkio.throttle.read_bps_device", &l.ReadBytes}, {"wbps", "blkio.throttle.write_bps_device", &l.WriteBytes},
		{"riops", "blkio.throttle.read_iops_device", &l.ReadOps}, {"wiops", "blkio.throttle.write_iops_device", &l.WriteOps},
	}
}

// parseIO reads PATH:KEY=RATE[,KEY=RATE].
func parseIO(value string) (IOLimit, error) {
	parts := split(value)
	l := IOLimit{Path: parts[0]}
	if len(parts) != 2 {
		return l, errors.New("it has no limit behind its path")
	}
	for item := range strings.SplitSeq(parts[1], ",") {
		key, text, _ := strings.Cut(item, "=")
		for _, r := range l.rates() {
			if r.key != key {
				continue
			}
			if *r.to != 0 {
				return l, fmt.Errorf("it has two limits %s: want one", key)
			}
			n, err := bytesize.Parse(text)
			if err != nil || key[1:] == "iops" && n > maxOps {
				return l, fmt.Errorf("%s is too much: leave it out for no limit", item)
			}
			*r.to = n
		}
	}
	return l, nil
}

// maxOps is what the kernel can count to in a second.
const maxOps = 1<<32 - 1

// String returns the option's value that is read as l.
func (l IOLimit) String() string {
	var items []string
	for _, r := range l.rates() {
		if *r.to != 0 {
			items = append(items, r.key+"="+strconv.FormatInt(*r.to, 10))
		}
	}
	return strings.ReplaceAll(l.Path, ":", `\:`) + ":" + strings.Join(items, ",")
}

const noteIO = "the limit of a disk"

// io limits the disks.
func (m *limiter) io(p cgroup.Place, err error) error {
	if err != nil {
		return m.lackIO("io", err)
	}
	g := m.group("io", p)
	writes := func(l IOLimit) bool { return l.WriteBytes != 0 || l.WriteOps != 0 }
	if p.Version == 1 && slices.ContainsFunc(m.o.IO, writes) {
		m.note("io: version 1 limits what goes to the disk at once (O_DIRECT, O_SYNC, fsync), and not what the kernel writes back later")
	}
	disks := map[string]string{}
	for _, l := range m.o.IO {
		disk, err := cgroup.Disk(l.Path)
		var why interface{ NoPlace() }
		switch {
		case errors.As(err, &why):
			return badOption("io: %v", err)
		case err != nil:
			return notThere("io", l.Path, err)
		case disks[disk] != "":
			return badOption("io: %s and %s are on one disk, %s: want one limit for it", short(disks[disk]), short(l.Path), disk)
		}
		disks[disk] = l.Path
		m.throttle(g, p, disk, &l)
	}
	return nil
}

// throttle adds the steps for one disk.
func (m *limiter) throttle(g group, p cgroup.Place, disk string, l *IOLimit) {
	line := disk
	for _, r := range l.rates() {
		switch {
		case *r.to == 0:
		case p.Version == 1:
			m.set(g, r.file, fmt.Sprintf("%s %d", disk, *r.to), noteIO)
		default:
			line += fmt.Sprintf(" %s=%d", r.key, *r.to)
		}
	}
	if p.Version == 2 {
		m.set(g, "io.max", line, noteIO)
	}
}

// ioWeight gives the child a share of the disks.
func (m *limiter) ioWeight(p cgroup.Place, err error) error {
	var file string
	var most int
	if err == nil {
		file, most, err = m.machine.Weight(p.Version)
	}
	if err != nil {
		return m.lackIO("io_weight", err)
	}
	w := m.o.IOWeight
	if w > defaultWeight { // what is more than others have, in proportion
		w = defaultWeight + (w-defaultWeight)*(most-defaultWeight)/(maxWeight-defaultWeight)
	}
	m.set(m.group("io_weight", p), file, strconv.Itoa(w), "the share of the disks")
	return nil
}

// What io_weight can be, and what a group has that is given none.
const (
	defaultWeight = 100
	maxWeight     = 10_000
)

// lackIO is lack, of what BestEffort has a name of its own for.
func (m *limiter) lackIO(option string, why error) error {
	if m.o.mayLack(LayerIO) {
		m.note("%s: missing: %v", option, why)
		return nil
	}
	err := m.lack(option, why.Error())
	if e, ok := err.(*spawn.Error); ok {
		e.Msg = why.Error() + "; best_effort=io goes without"
	}
	return err
}
