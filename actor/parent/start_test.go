package parent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestAnActorIsWhatItIsTold(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		s := spec("an actor", "say", "one", "", "ünïcode\x00")
		s.Variables = map[string]string{"k": "v"}
		s.Registrar, s.Bind = []string{"/unix/r"}, []string{"/unix/b"}
		a := start(t, n, s)
		if a.Name() != s.Name || a.Child().Name() != s.Name {
			t.Errorf("it is called %q, and as a child %q: want %q", a.Name(), a.Child().Name(), s.Name)
		}
		if diff := cmp.Diff([]string{"/unix/x", "/ip4/127.0.0.1/tcp/1"}, a.Addresses()); diff != "" {
			t.Error("addresses: ", diff)
		}
		if err := a.Wait(); err != nil {
			return err
		}
		var got said
		if err := a.Result(&got); err != nil {
			return err
		}
		want := said{
			Name: "an actor", UID: a.UID(), ParentName: filepath.Base(os.Args[0]), ParentPid: os.Getpid(), Pid: a.Child().Process().Pid(),
			Args: s.Args, Registrar: s.Registrar, Bind: s.Bind, Variables: s.Variables,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestASpecThatMakesNoSense(t *testing.T) {
	h := open(t, host.Config{})
	nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		for want, s := range map[string]parent.Spec{
			"no name":                {Entry: "e"},
			"no entry point":         {Name: "n"},
			`ChildSIGINT is "child"`: {Name: "n", Entry: "e", ChildSIGINT: "child", Program: spawn.Spec{Path: "/nowhere"}},
			"is not UTF-8":           {Name: "n", Entry: "e", Args: []string{"\xff"}},
		} {
			_, err := parent.Start(ctx, n, s)
			if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: want EINVAL and %q", err, want)
			}
		}
		return nil
	})
}

// TestAChildThatDiesFirst has programs that are no actors.
func TestAChildThatDiesFirst(t *testing.T) {
	h := open(t, host.Config{})
	for text, want := range map[string]struct {
		code   int
		signal syscall.Signal
	}{
		"echo the last words >&2; exit 3":            {code: 3},
		"echo the last words >&2; kill -9 $$":        {code: -1, signal: syscall.SIGKILL},
		"echo the last words >&2":                    {code: 0},
		"sleep 60 & echo the last words >&2; exit 4": {code: 4},
	} {
		err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
			begin := time.Now()
			_, err := parent.Start(ctx, n, script("early", text))
			var exit *spawn.ExitError
			if !errors.As(err, &exit) || exit.Code != want.code || exit.Signal != want.signal {
				t.Errorf("%s: %v has not the status", text, err)
				return nil
			}
			if !strings.Contains(err.Error(), "the last words") || string(exit.Stderr) != "the last words\n" {
				t.Errorf("%s: %v has not the last words, nor %q", text, err, exit.Stderr)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("%s: it took %v", text, took)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: the nursery failed: %v", text, err)
		}
	}
}

func TestAnActorThatFailsToGetReady(t *testing.T) {
	h := open(t, host.Config{})
	nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		_, err := parent.Start(ctx, n, spec("a", "nothing"))
		if err == nil || !strings.Contains(err.Error(), `no entry point "nothing"`) || !strings.Contains(err.Error(), "say") {
			t.Errorf("an unknown entry point: %v", err)
		}
		return nil
	})
}

func TestAChildThatNeverSpeaks(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		s := script("mute", "echo something >&2; exec sleep 60")
		s.Handshake = 300 * time.Millisecond
		_, err := parent.Start(ctx, n, s)
		if !errors.Is(err, spawn.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "hello") || !strings.Contains(err.Error(), "something") {
			t.Errorf("%v: want a timeout of the handshake that quotes it", err)
		}
		bounded, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err = parent.Start(bounded, n, script("mute", "exec sleep 60"))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, spawn.ErrTimeout) {
			t.Errorf("%v: want the end of the caller's context", err)
		}
		return nil
	})
	if err != nil {
		t.Error("the nursery failed: ", err)
	}
}

// TestAnActorsDescriptors holds that an actor has nothing open but its own.
func TestAnActorsDescriptors(t *testing.T) {
	h := open(t, host.Config{})
	nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		s := script("ls", "echo $HATCHERY_ACTOR_CHANNEL >&2; exec ls /proc/self/fd >&2")
		s.Program.Files = []*os.File{nil, nil, nil, nil, os.Stdin}
		_, err := parent.Start(ctx, n, s)
		var exit *spawn.ExitError
		if !errors.As(err, &exit) {
			return err
		}
		if got := strings.Fields(string(exit.Stderr)); !slices.Equal(got, strings.Fields("5 0 1 2 3 4 5")) { // 3 is the folder
			t.Errorf("channel and descriptors are %q", got)
		}
		return nil
	})
}
