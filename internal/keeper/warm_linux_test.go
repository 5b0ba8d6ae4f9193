//go:build linux

package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// zygoteHelper is a process of a template that is this test's program. How it
// behaves says its argv[0]: "pool" is what actor.Park has done already.
func zygoteHelper(how string) {
	value := os.Getenv(zygote.Variable)
	os.Unsetenv(zygote.Variable)
	ch, err := zygote.Inherit(value)
	if err != nil {
		panic(err)
	}
	ready := func(kind string) { ch.Send(nil, zygote.Ready, kind, zygote.Version) }
	wait := func() (fields []string, fds []int) {
		fields, fds, err := ch.Recv()
		if err != nil {
			syscall.Exit(0)
		}
		return fields, fds
	}
	switch how {
	case "fork":
		ready(zygote.Fork)
		for {
			fields, fds := wait()
			ch.Send(nil, zygote.Born, fields[1], strconv.Itoa(poolSibling(fds)))
		}
	case "late": // every other child is gone before anybody is told of it
		ready(zygote.Fork)
		for i := 0; ; i++ {
			fields, fds := wait()
			pid := poolSibling(fds)
			if i%2 == 0 {
				syscall.Kill(pid, syscall.SIGKILL)
				for end := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && time.Now().Before(end); {
					syscall.Nanosleep(&syscall.Timespec{Nsec: 1e6}, nil)
				}
			}
			ch.Send(nil, zygote.Born, fields[1], strconv.Itoa(pid))
		}
	case "refuses", "full":
		errno := map[string]string{"refuses": "16", "full": "11"}[how]
		ready(zygote.Fork)
		for {
			fields, _ := wait()
			ch.Send(nil, zygote.Refused, fields[1], errno, "three threads: a, b, c")
		}
	case "lies":
		ready(zygote.Fork)
		for {
			fields, fds := wait()
			closeAll(fds)
			ch.Send(nil, zygote.Born, fields[1], strconv.Itoa(os.Getpid()))
		}
	case "babbles":
		ready(zygote.Fork)
		wait()
		ch.Send(nil, "what", "is", "this")
		wait()
	case "silent":
		ready(zygote.Fork)
		syscall.Nanosleep(&syscall.Timespec{Sec: 1e6}, nil)
	case "exits":
		fmt.Fprintln(os.Stderr, "no use for me")
		syscall.Exit(3)
	case "other":
		ready("thread")
		wait()
	case "dies": // when it is told what to be
		ready(zygote.Pool)
		wait()
		syscall.Exit(1)
	}
}

// poolSibling makes a child of this process's parent with that channel: what a fork
// would make. It closes the descriptors.
func poolSibling(fds []int) (pid int) {
	defer closeAll(fds)
	files := make([]uintptr, poolChannel+1)
	files[poolChannel] = uintptr(fds[0])
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"pool"}, &syscall.ProcAttr{
		Env:   []string{zygote.Variable + "=" + strconv.Itoa(poolChannel)},
		Files: files,
		Sys:   &syscall.SysProcAttr{Cloneflags: syscall.CLONE_PARENT},
	})
	if err != nil {
		panic(err)
	}
	return pid
}

// warmHelper is the program of a child that was handed over.
func warmHelper(args []string) {
	switch args[0] {
	case "tell":
		dir, _ := os.Getwd()
		mask := syscall.Umask(0)
		var nofile, core syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &nofile)
		syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
		group, session := linux.GroupOf(os.Getpid())
		fmt.Printf("args %q\nenv %q\ndir %s\numask %03o\nnofile %d:%d\ncore %d:%d\nown group %v\nown session %v\nhup ignored %v\n",
			os.Args, os.Environ(), dir, mask, nofile.Cur, nofile.Max, core.Cur, core.Max, group == os.Getpid(), session == os.Getpid(), signal.Ignored(syscall.SIGHUP))
		for fd := range 3 {
			fmt.Printf("%d %v\n", fd, fileOf(fd))
		}
		for fd := 3; fd < 64; fd++ {
			if name := fileOf(fd); name != "" && !strings.HasPrefix(name, "anon_inode:") && !strings.Contains(name, "cgroup") {
				fmt.Println(fd, name)
			}
		}
	case "exit":
		code, _ := strconv.Atoi(args[1])
		syscall.Exit(code)
	case "kill":
		n, _ := strconv.Atoi(args[1])
		syscall.Kill(os.Getpid(), syscall.Signal(n))
		select {}
	case "wait":
		io.Copy(io.Discard, os.Stdin)
		syscall.Exit(7)
	}
}

func fileOf(fd int) string {
	name, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	return name
}

// warmLaunch is the launch of this program from a template, as a child that does
// what args say.
func warmLaunch(t testing.TB, conf spawn.Template, spec spawn.Spec, args ...string) *Launch {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := spawn.Standard(&spec)
	p.Steps = append([]spawn.Step{spawn.Handoff(conf)}, p.Steps...)
	return &Launch{Plan: encode(t, p), Path: self, Args: append([]string{"child"}, args...), Env: []string{"KEEPER_TEST_HELPER=child"}, Dir: spec.Dir}
}

func parks() spawn.Template {
	return spawn.Template{Kind: spawn.PoolTemplate, Args: []string{"pool"}, Max: 4}
}

func forks(how string) spawn.Template {
	return spawn.Template{Kind: spawn.ForkTemplate, Args: []string{how}, Env: []string{"KEEPER_TEST_HELPER=zygote"}, Max: 1}
}

func bothKinds(t *testing.T, f func(t *testing.T, conf spawn.Template)) {
	t.Run("pool", func(t *testing.T) { f(t, parks()) })
	t.Run("fork", func(t *testing.T) { f(t, forks("fork")) })
}

// A child that was handed over is what it would have been if it had been started.
func TestWarmChildIsWhatWasAskedFor(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		dir, err := os.MkdirTemp("", "warm")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		mask := uint32(0o027)
		spec := spawn.Spec{Dir: dir, Umask: &mask, Session: true, Ignore: []syscall.Signal{syscall.SIGHUP},
			Limits: []spawn.Limit{{Resource: syscall.RLIMIT_NOFILE, Soft: 100, Hard: 200}, {Resource: syscall.RLIMIT_CORE, Soft: 0, Hard: spawn.Unlimited}}}
		if syscall.Getuid() != 0 {
			spec.Limits[1].Hard = 0
		}
		for range 3 { // the first waits for a process, the others need not
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			l := warmLaunch(t, conf, spec, "tell", "", "a\nb", "\xff")
			l.Env = append(l.Env, "A=1=2", "EMPTY=", "B=\xff")
			l.Files, l.FDs = []int{1, 5, 20}, []int{int(w.Fd()), int(w.Fd()), int(r.Fd())}
			s := launchIt(t, c, l)
			if !s.Warm {
				t.Error("it was not handed over")
			}
			w.Close()
			out, _ := io.ReadAll(r)
			pipe := fileName(t, r)
			r.Close()
			core := "0:-1"
			if syscall.Getuid() != 0 {
				core = "0:0"
			}
			want := fmt.Sprintf("args %q\nenv %q\ndir %s\numask 027\nnofile 100:200\ncore %s\nown group true\nown session true\nhup ignored true\n0 /dev/null\n1 %s\n2 /dev/null\n5 %[5]s\n20 %[5]s\n",
				[]string{"child", "tell", "", "a\nb", "\xff"}, []string{"A=1=2", "EMPTY=", "B=\xff"}, dir, core, pipe)
			if diff := cmp.Diff(want, strings.ReplaceAll(string(out), "18446744073709551615", "-1")); diff != "" {
				t.Error(diff)
			}
			if st := s.wait(t, 5*time.Second); st.Code != 0 || st.Signal != 0 {
				t.Errorf("it ended with %v", st)
			}
		}
	})
}

func fileName(t *testing.T, f *os.File) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// What the Spec leaves open is the host's at the time of the call.
func TestWarmChildInheritsFromTheHost(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		for _, mask := range []int{0o012, 0o077} {
			dir := t.TempDir()
			t.Chdir(dir)
			old := syscall.Umask(mask)
			r, w, _ := os.Pipe()
			l := warmLaunch(t, conf, spawn.Spec{}, "tell")
			l.Files, l.FDs = []int{1}, []int{int(w.Fd())}
			s := launchIt(t, c, l)
			syscall.Umask(old)
			w.Close()
			out, _ := io.ReadAll(r)
			r.Close()
			if want := fmt.Sprintf("\ndir %s\numask %03o\n", dir, mask); !strings.Contains(string(out), want) || !strings.Contains(string(out), "own group false") {
				t.Errorf("want %q and the host's group in\n%s", want, out)
			}
			s.wait(t, 5*time.Second)
		}
	})
}

func TestWarmExits(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		for _, code := range []int{0, 1, 255} {
			s := launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", strconv.Itoa(code)))
			if st := s.wait(t, 5*time.Second); st.Code != code || st.Source != spawn.FromKernel || st.Rusage.MaxRSS == 0 {
				t.Errorf("exit %d: %+v", code, st)
			}
		}
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
			s := launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "kill", strconv.Itoa(int(sig))))
			if st := s.wait(t, 5*time.Second); st.Signal != sig {
				t.Errorf("signal %d: %+v", sig, st)
			}
		}
	})
}

// A process that is gone before its birth is known is replaced by another.
func TestForkedChildThatIsGoneBeforeItIsKnown(t *testing.T) {
	c := newClient(t)
	for i := range 5 {
		s := launchIt(t, c, warmLaunch(t, forks("late"), spawn.Spec{}, "exit", strconv.Itoa(40+i)))
		if st := s.wait(t, 5*time.Second); st.Code != 40+i {
			t.Errorf("got %+v, want %d", st, 40+i)
		}
	}
}

// Settings that cannot be had are errors as they would be of the step.
func TestWarmErrors(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		for name, tt := range map[string]struct {
			spec  spawn.Spec
			path  string
			errno syscall.Errno
			op    string
			phase spawn.Phase
		}{
			"a missing directory": {spawn.Spec{Dir: "/nowhere"}, "", syscall.ENOENT, "chdir", spawn.PhaseSetup},
			"a missing program":   {spawn.Spec{}, "/nowhere/x", syscall.ENOENT, "exec", spawn.PhaseExec},
			"no such group":       {spawn.Spec{Group: 1 << 30}, "", syscall.EPERM, "setpgid", spawn.PhaseSetup},
		} {
			t.Run(name, func(t *testing.T) {
				l := warmLaunch(t, conf, tt.spec, "exit", "0")
				if tt.path != "" {
					l.Path = tt.path
				}
				s, err := c.Launch(t.Context(), l, func(Exit) {})
				var e *spawn.Error
				if !errors.As(err, &e) || e.Errno != tt.errno || e.Op != tt.op || e.Phase != tt.phase {
					t.Errorf("%+v, %v", s, err)
				}
			})
		}
		l := warmLaunch(t, conf, spawn.Spec{}, "exit", "0")
		p := spawn.Standard(&spawn.Spec{})
		p.Steps = append([]spawn.Step{spawn.Handoff(conf)}, p.Steps...)
		p.Insert(spawn.Chroot(spawn.Str("/")))
		l.Plan = encode(t, p)
		if _, err := c.Launch(t.Context(), l, func(Exit) {}); !errors.Is(err, spawn.ErrBadPlan) {
			t.Errorf("a step that cannot be had: %v", err)
		}
	})
}

// A template that is of no use fails with what is known, in time.
func TestBadTemplates(t *testing.T) {
	c := newClient(t)
	for how, want := range map[string]string{
		"exits":   "exit status 3; the last it said: no use for me",
		"other":   `of the kind "thread"`,
		"refuses": "three threads: a, b, c",
		"lies":    "which is no new child",
		"babbles": `no answer: "what is this"`,
	} {
		t.Run(how, func(t *testing.T) {
			for range 2 {
				conf := forks(how)
				conf.Required = true
				_, err := c.Launch(t.Context(), warmLaunch(t, conf, spawn.Spec{}, "exit", "0"), func(Exit) {})
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
	t.Run("dies", func(t *testing.T) {
		conf := forks("dies")
		conf.Kind, conf.Required = spawn.PoolTemplate, true
		_, err := c.Launch(t.Context(), warmLaunch(t, conf, spawn.Spec{}, "exit", "0"), func(Exit) {})
		if err == nil || !strings.Contains(err.Error(), "one after the other") {
			t.Error(err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := c.Launch(ctx, warmLaunch(t, forks("silent"), spawn.Spec{}, "exit", "0"), func(Exit) {})
		if !errors.Is(err, spawn.ErrTimeout) || time.Since(begin) > 5*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
	launchIt(t, c, warmLaunch(t, parks(), spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
}

// A child whose template is of no use is started, and its host is told why. What is
// of no use is not tried again with every child.
func TestColdInsteadOfWarm(t *testing.T) {
	c := newClient(t)
	for how, want := range map[string]string{
		"exits":   "exit status 3; the last it said: no use for me",
		"other":   `of the kind "thread"`,
		"babbles": `no answer: "what is this"`,
		"refuses": "it cannot fork: three threads: a, b, c",
	} {
		for range 3 {
			l := warmLaunch(t, forks(how), spawn.Spec{}, "exit", "5")
			s := launchIt(t, c, l)
			if s.Warm || s.Cold == nil || strings.Count(s.Cold.Error(), want) != 1 { // as often as it was tried
				t.Errorf("%s: warm %v, cold because of %v, want %q", how, s.Warm, s.Cold, want)
			}
			if st := s.wait(t, 5*time.Second); st.Code != 5 {
				t.Errorf("%s: %+v", how, st)
			}
		}
	}
	list, err := c.Templates(t.Context())
	if err != nil || len(list) != 4 {
		t.Error(list, err)
	}
	if s, err := c.Launch(t.Context(), warmLaunch(t, forks("full"), spawn.Spec{}, "exit", "5"), func(Exit) {}); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a fork that fails: %+v, %v", s, err)
	}
	if s := launchIt(t, c, warmLaunch(t, forks("exits"), spawn.Spec{Dir: "/"}, "exit", "5")); s.Cold == nil {
		t.Error("another child of that template was not started cold")
	}
	l := warmLaunch(t, forks("exits"), spawn.Spec{}, "exit", "5")
	l.Path = "/nowhere/x"
	if s, err := c.Launch(t.Context(), l, func(Exit) {}); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a program that is missing: %+v, %v", s, err)
	}
}

// children returns the children of a process, without those that have ended.
func children(pid int) []int {
	return slices.DeleteFunc(linux.Children(pid), func(pid int) bool { return !alive(pid) })
}

// Nothing that is ready is left when the host is gone, or its keeper.
func TestNothingReadyIsLeft(t *testing.T) {
	for name, end := range map[string]func(c *Client){
		"closed":  func(c *Client) { c.Close(0, 5*time.Second) },
		"killed":  func(c *Client) { syscall.Kill(c.Pid(), syscall.SIGKILL) },
		"dropped": func(c *Client) { c.conn.Shutdown() },
	} {
		t.Run(name, func(t *testing.T) {
			bothKinds(t, func(t *testing.T, conf spawn.Template) {
				c := newClient(t)
				conf.Min, conf.Max = 2, 2
				launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
				want := 2
				if conf.Kind == spawn.ForkTemplate {
					want++ // the one that makes them
				}
				if !within(10*time.Second, func() bool { return len(children(c.Pid())) == want }) {
					t.Fatalf("processes %v are ready, want %d", children(c.Pid()), want)
				}
				ready := children(c.Pid())
				end(c)
				gone(t, 5*time.Second, ready...)
			})
		})
	}
}

// A dismissed keeper does not stay for those that are ready.
func TestDismissEndsWhatIsReady(t *testing.T) {
	c := newClient(t)
	conf := parks()
	conf.Min = 2
	launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
	if err := c.Dismiss(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Gone():
	case <-time.After(10 * time.Second):
		t.Error("it is still there")
	}
}

// Those that nobody wants are let go.
func TestIdle(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		conf.Max, conf.Idle = 3, 300*time.Millisecond
		for range 2 {
			launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
		}
		if !within(10*time.Second, func() bool { return len(children(c.Pid())) > 0 }) {
			t.Error("nothing was made ready")
		}
		if !within(10*time.Second, func() bool { return len(children(c.Pid())) == 0 }) {
			t.Errorf("processes %v are ready", children(c.Pid()))
		}
		launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
	})
}

// Many at once, and nothing of it stays.
func TestManyWarmChildren(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
		open := openChannels(t, c.Pid())
		const callers, each = 8, 5
		errs := make(chan error, callers)
		for k := range callers {
			go func() {
				for i := range each {
					exit := make(chan Exit, 1)
					code := k*each + i
					s, err := c.Launch(t.Context(), warmLaunch(t, conf, spawn.Spec{}, "exit", strconv.Itoa(code)), func(e Exit) { exit <- e })
					if err != nil {
						errs <- err
						return
					}
					syscall.Close(s.Pidfd)
					if e := <-exit; e.Status.Code != code || e.Pid != s.Pid {
						errs <- fmt.Errorf("want %d: %+v", code, e)
						return
					}
				}
				errs <- nil
			}()
		}
		for range callers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		most := open + 4*conf.Max // a channel, a pidfd and both ends of a report for each that is ready
		if !within(10*time.Second, func() bool { return openChannels(t, c.Pid()) <= most }) {
			t.Errorf("the keeper has %d sockets and pidfds open, had %d", openChannels(t, c.Pid()), open)
		}
	})
}

// openChannels counts the sockets and pidfds that a process has open.
func openChannels(t *testing.T, pid int) (n int) {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		to, _ := os.Readlink(name)
		if strings.HasPrefix(to, "socket:") || strings.Contains(to, "pidfd") {
			n++
		}
	}
	return n
}
