//go:build failpoints

package failpoint

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRulesAreReadAsTheyWereWritten(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	want := []Rule{{Point: HostExit, Action: Delay, Nth: 3, Delay: time.Second}, {Point: KeeperStart, Action: Stop}}
	if err := Arm(program, want...); err != nil {
		t.Fatal(err)
	}
	got, err := read(program)
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, %v", got, err)
	}
	if err := Arm(program); err != nil {
		t.Fatal(err)
	}
	if got, err := read(program); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
}

func TestUnknownRulesAreErrors(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	for _, r := range []Rule{
		{Point: "host.nowhere", Action: Kill}, {Point: HostExit, Action: "explode"}, {Point: HostExit, Action: Error}, {Point: HostExit, Action: Kill, Nth: -1},
	} {
		if err := Arm(program, r); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
	for _, text := range []string{"host.nowhere kill 0 0s", "host.exit kill 0", "host.exit kill x 0s", "host.exit kill 0 x"} {
		if err := os.WriteFile(rulesPath(program), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := read(program); err == nil {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
}

func TestARuleIsFollowedOnce(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	rule := Rule{Point: HostLaunchSend, Action: Error, Nth: 2}
	if err := Arm(program, rule); err != nil {
		t.Fatal(err)
	}
	for process := range 2 {
		a := &armed{program: program, rules: []Rule{rule}, passed: map[Point]int{}}
		for n := 1; n <= 3; n++ {
			if err := a.pass(HostLaunchSend); (err != nil) != (process == 0 && n == 2) {
				t.Errorf("process %d, time %d: %v", process, n, err)
			}
		}
		if err := a.pass(HostExit); err != nil {
			t.Error(err)
		}
	}
	if got := Fired(program, 0); got != os.Getpid() {
		t.Errorf("followed by %d", got)
	}
}
