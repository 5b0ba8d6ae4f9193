package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

const cloneNewTime = 0x80

// setClock reads NAME:OFFSET.
func (o *Options) setClock(value string) error {
	name, text, _ := strings.Cut(value, ":")
	offset, err := time.ParseDuration(text)
	if err != nil {
		return badOption("clock=%s: want monotonic:OFFSET or boottime:OFFSET, as in boottime:-36h", short(value))
	}
	name, err = oneOf("clock", name, "monotonic", "boottime")
	clock := &o.Boottime
	if name == "monotonic" {
		clock = &o.Monotonic
	}
	if err == nil && *clock != 0 && *clock != offset {
		err = badOption("clock=%s: its offset is %v already: want one", short(value), *clock)
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

// time adds the steps that give what comes after process 1 a time namespace. It is
// entered when a program is executed, as no process may be in it while its
// offsets are set, and process 1 shares the memory of the keeper until then.
func (l *list) time(o *Options) {
	if o.Monotonic == 0 && o.Boottime == 0 {
		return
	}
	const note = "clocks of its own: they take a kernel with CONFIG_TIME_NS, and do not go below zero"
	l.add(spawn.Unshare(cloneNewTime).Noted(note))
	f := l.add(spawn.Open(spawn.Str("/proc/self/timens_offsets"), oWronly, 0).Noted(note))
	text := "monotonic " + secondsOf(o.Monotonic) + "\nboottime " + secondsOf(o.Boottime) + "\n"
	l.add(spawn.Write(f, spawn.Str(text)).Noted(note))
	l.add(spawn.Close(f))
}

// secondsOf returns seconds and nanoseconds, which are never negative.
func secondsOf(d time.Duration) string {
	s, ns := d/time.Second, d%time.Second
	if ns < 0 {
		s, ns = s-1, ns+time.Second
	}
	return fmt.Sprintf("%d %d", s, ns)
}
