//go:build linux

package isolate_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestClocks compares what a child sees with what the host does.
func TestClocks(t *testing.T) {
	h := openHost(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	const script = "import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns(), open('/proc/uptime').read().split()[0])"
	read := func(opts ...string) (monotonic, boottime, real int64, uptime float64) {
		t.Helper()
		c := shell(h, "", opts...)
		c.Path, c.Args = python, []string{"python3", "-c", script}
		out, err := c.CombinedOutput()
		if errors.Is(err, spawn.ErrUnavailable) {
			t.Skip(err)
		}
		if _, serr := fmt.Sscan(string(out), &monotonic, &boottime, &real, &uptime); err != nil || serr != nil {
			t.Fatalf("%v, %v: %s", err, serr, out)
		}
		return monotonic, boottime, real, uptime
	}
	m0, b0, r0, u0 := read()
	const up, more = 1000 * time.Hour, 2*1000*time.Hour - time.Second/4
	m1, b1, r1, u1 := read("clock=monotonic:"+up.String(), "clock=boottime:"+more.String())
	const near = 100 * time.Second // however busy the machine is
	for _, d := range []time.Duration{
		time.Duration(m1-m0) - up, time.Duration(b1-b0) - more, time.Duration(r1 - r0), time.Duration((u1-u0)*1e9) - more,
	} {
		if d < 0 || d > near {
			t.Errorf("it is off by %v", d)
		}
	}
	if m2, _, _, _ := read("clock=boottime:1h"); time.Duration(m2-m0) > near {
		t.Error("the other clock is not the host's")
	}
	c := shell(h, "grep Cap /proc/self/status /proc/1/status | grep -vc 0000000000000000", "clock=boottime:1h")
	if out, _ := c.Output(); string(out) != "0\n" {
		t.Errorf("%s sets of rights are not empty", out)
	}
	err = shell(h, "true", "clock=boottime:-200000h").Run()
	if !errors.Is(err, syscall.ERANGE) || !strings.Contains(err.Error(), "do not go below zero") {
		t.Errorf("before the beginning: %v", err)
	}
}
