package plan

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

const cloneNewTime = 0x80

// setClock reads NAME:OFFSET.
func (o *Options) setClock(value string) error {
	name, text, _ := strings.Cut(value, ":")
	offset, err := time.ParseDuration(text)
	clock := &o.Boottime
	if name == "monotonic" {
		clock = &o.Monotonic
	}
	switch {
	case err != nil:
		err = errors.New("its offset is too long")
	case *clock != 0 && *clock != offset:
		err = fmt.Errorf("its offset is %v already: want one", *clock)
	}
	*clock = offset
	return err
}

// clocks returns the options that setClock reads.
func (o *Options) clocks() []string {
	var all []string
	for _, c := range []struct {
		name   string
		offset time.Duration
	}{{"monotonic", o.Monotonic}, {"boottime", o.Boottime}} {
		if c.offset != 0 {
			all = append(all, c.name+":"+c.offset.String())
		}
	}
	return all
}

// ownTime reports whether the child has a time namespace of its own.
func (o *Options) ownTime() bool { return o.Monotonic != 0 || o.Boottime != 0 }

// timeRights are what it takes to make a time namespace and set its clocks.
const timeRights = 1<<21 | 1<<25 // CAP_SYS_ADMIN, CAP_SYS_TIME

// time adds the steps that give the program a time namespace, and take the rights
// away that were left for that. No process may be in it while its clocks are set:
// it is entered when the program is executed.
func (l *list) time(o *Options) error {
	if !o.ownTime() {
		return nil
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil && before63(string(release)) {
		return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable,
			Msg: "clock: a program is put into its time namespace by execve since Linux 6.3; this is " + strings.TrimSpace(string(release))}
	}
	const note = "clocks of its own: they take a kernel with CONFIG_TIME_NS, and do not go below zero"
	l.add(spawn.Unshare(cloneNewTime).Noted(note))
	f := l.add(spawn.Open(spawn.Str("/proc/self/timens_offsets"), oWronly, 0).Noted(note))
	text := "monotonic " + secondsOf(o.Monotonic) + "\nboottime " + secondsOf(o.Boottime) + "\n"
	l.add(spawn.Write(f, spawn.Str(text)).Noted(note))
	l.add(spawn.Close(f))
	l.add(spawn.Capset(0, 0, 0))
	return nil
}

// before63 reports whether a version of Linux is from before 6.3. Such a kernel
// would leave the program in the time of the host, and say nothing.
func before63(release string) bool {
	var major, minor int
	n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor)
	return n == 2 && (major < 6 || major == 6 && minor < 3)
}

// secondsOf returns seconds and nanoseconds, which are never negative.
func secondsOf(d time.Duration) string {
	s, ns := d/time.Second, d%time.Second
	if ns < 0 {
		s, ns = s-1, ns+time.Second
	}
	return fmt.Sprintf("%d %d", s, ns)
}
