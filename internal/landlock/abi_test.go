package landlock

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func everything() Policy {
	return Policy{
		Files: AllFiles,
		Paths: []Path{{Path: "/usr", Access: Read | Execute}, {Path: "/tmp", Access: Read | Write | Make}, {Path: "/dev/null", Access: AllFiles, File: true}},
		TCP:   Bind | Connect,
		Ports: []Port{{443, Connect}, {0, Bind}},
		Scope: AbstractSockets | Signals,
	}
}

// TestOn: the accesses that each kernel knows, and what is told of the rest.
func TestOn(t *testing.T) {
	const (
		move     = "linking and renaming between folders cannot be allowed before Linux 5.19"
		truncate = "truncating files cannot be restricted before Linux 6.2"
		tcp      = "TCP ports cannot be restricted: bind+connect before Linux 6.7"
		ioctl    = "ioctl of devices cannot be restricted before Linux 6.10"
		scope    = "what goes to other processes cannot be restricted: abstract-sockets+signals before Linux 6.12"
	)
	tests := []struct {
		abi     int
		files   Access
		tcp     Net
		scope   Scope
		missing []string
	}{
		{-1, 0, 0, 0, []string{"nothing can be restricted by Landlock before Linux 5.13, or with the kernel's option lsm= without landlock"}},
		{1, 1<<13 - 1, 0, 0, []string{move, truncate, tcp, ioctl, scope}},
		{2, 1<<14 - 1, 0, 0, []string{truncate, tcp, ioctl, scope}},
		{3, 1<<15 - 1, 0, 0, []string{tcp, ioctl, scope}},
		{4, 1<<15 - 1, 3, 0, []string{ioctl, scope}},
		{5, 1<<16 - 1, 3, 0, []string{scope}},
		{6, 1<<16 - 1, 3, 3, nil},
		{Newest, 1<<16 - 1, 3, 3, nil},
		{Newest + 5, 1<<16 - 1, 3, 3, nil},
	}
	for _, tt := range tests {
		p, missing := everything().On(tt.abi)
		if p.Files != tt.files || p.TCP != tt.tcp || p.Scope != tt.scope {
			t.Errorf("ABI %d: files %v, TCP %v, scope %v", tt.abi, p.Files, p.TCP, p.Scope)
		}
		var text []string
		for _, m := range missing {
			text = append(text, m.String())
			if m.Weaker != (m.String() != move) {
				t.Errorf("ABI %d: %v is told as weaker: %v", tt.abi, m, m.Weaker)
			}
		}
		if d := cmp.Diff(tt.missing, text); d != "" {
			t.Errorf("ABI %d: %s", tt.abi, d)
		}
		for _, path := range p.Paths {
			if path.Access&^p.Files != 0 || path.Access == 0 || path.File && path.Access&^ofFile != 0 {
				t.Errorf("ABI %d: the kernel refuses %+v", tt.abi, path)
			}
		}
		for _, port := range p.Ports {
			if port.Access&^p.TCP != 0 || port.Access == 0 {
				t.Errorf("ABI %d: the kernel refuses %+v", tt.abi, port)
			}
		}
	}
}

// TestOnAsksForNoMore: a policy is not told to lack what it does not want.
func TestOnAsksForNoMore(t *testing.T) {
	for _, p := range []Policy{{}, {Files: Make | Read}, {Files: WriteFile, Paths: []Path{{Path: "/", Access: Write}}}} {
		if _, missing := p.On(1); len(missing) > 0 {
			t.Errorf("%+v: %v", p, missing)
		}
	}
	if p, _ := (Policy{Files: Truncate}).On(1); p.Restricts() || p.Steps(0) != nil {
		t.Errorf("nothing is left of it, and yet: %+v", p)
	}
	if p, _ := (Policy{Files: Read, Paths: []Path{{Path: "/", Access: Make &^ Move}}}).On(6); p.Paths != nil || p.Files != Read|Move {
		t.Errorf("a path that allows nothing: %+v", p)
	}
}

func TestNames(t *testing.T) {
	if s := (Execute | Read | Ioctl).String(); s != "execute+read-file+read-folder+ioctl" {
		t.Error(s)
	}
	if s := Net(0).String(); s != "none" {
		t.Error(s)
	}
}
