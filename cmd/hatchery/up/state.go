package up

import (
	"slices"
	"strings"
	"time"
)

// names says which services there are, in this order.
func (d *display) names(all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.order = all
	d.width = 0
	for _, n := range all {
		d.width = max(d.width, len(n))
	}
	for n := range d.state {
		if !slices.Contains(all, n) {
			delete(d.state, n)
		}
	}
}

// set notes the state of a service, for the live status.
func (d *display) set(name, state string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state[name] = state
}

// statusLocked is the live status: what each service is doing.
func (d *display) statusLocked() string {
	var parts []string
	for _, n := range d.order {
		s := d.state[n]
		if s == "" {
			s = "waits"
		}
		parts = append(parts, n+" "+s)
	}
	return strings.Join(parts, " · ")
}

func (d *display) up(name string, pid int) {
	d.set(name, "up")
	d.note("%s: up (process %d)", name, pid)
}

func (d *display) ended(name string) {
	d.set(name, "ended")
	d.note("%s: ended", name)
}

func (d *display) stopped(name string) {
	d.set(name, "stopped")
	d.note("%s: stopped", name)
}

func (d *display) failed(name string, err error) {
	d.set(name, "failed")
	d.note("%s: %v", name, err)
}

func (d *display) restarting(name string, err error, delay time.Duration) {
	d.set(name, "restarts")
	d.note("%s: %v: started again in %v", name, err, delay.Round(time.Millisecond))
}
