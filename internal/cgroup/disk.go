package cgroup

import (
	"path"
	"strings"
)

// Mounted reports whether a controller is that of a hierarchy of version 1.
func (m *Machine) Mounted(controller string) bool {
	for _, mt := range m.mounts {
		if mt.version == 1 && has(strings.Join(mt.controllers, " "), controller) {
			return true
		}
	}
	return false
}

// Weight returns the file of a group by which it has a share of the disks, and the
// largest that there is. The kernel takes one and does nothing by it where neither
// BFQ is a disk's scheduler nor its model of costs is switched on; then that is the
// error.
func (m *Machine) Weight(version int) (file string, most int, err error) {
	stats, _ := m.readFile("/proc/diskstats")
	for line := range strings.Lines(stats) {
		// 254 0 vda 10 …
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		if s, _ := m.readFile("/sys/block/" + f[2] + "/queue/scheduler"); strings.Contains(s, "[bfq]") {
			return map[int]string{1: "blkio.bfq.weight", 2: "io.bfq.weight"}[version], 1000, nil
		}
	}
	for _, mt := range m.mounts {
		if s, _ := m.readFile(path.Join(mt.point, "io.cost.qos")); version == 2 && strings.Contains(s, "enable=1") {
			return "io.weight", 10_000, nil
		}
	}
	return "", 0, noPlace("no disk here is shared out by weight: none has the scheduler bfq, nor io.cost.qos with enable=1")
}
