//go:build linux

package escapesuite

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// onProcesses are the attempts on what runs outside.
func onProcesses() []attempt {
	onVictim := func(s *scene) { s.args = []string{s.victim()} }
	// What is read of a victim leaves no trace with it.
	reading := func(s *scene) { onVictim(s); s.harmed = nil }
	return []attempt{
		{
			name: "signal-host-process", what: "kill a process outside, by its number", stops: []layer{pidLayer},
			scene: func(s *scene) { onVictim(s); s.opts = []string{"landlock=off"} }, // which would stop it, too
			try:   func(args []string) error { return syscall.Kill(number(args[0]), syscall.SIGKILL) }, want: []syscall.Errno{syscall.ESRCH},
		},
		{
			name: "signal-host-group", alone: true, what: "signal the process group that it may share with the host", stops: []layer{landlockLayer}, needs: landlock(6), quiet: true,
			scene: func(s *scene) { s.listenForGroup() },
			try:   func([]string) error { return syscall.Kill(0, nobodyMinds) }, // which itself hears
		},
		{
			name: "signal-host-group-filtered", alone: true, what: "the same without Landlock", stops: []layer{filterLayer}, filtered: true, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) { s.listenForGroup(); s.opts = []string{"landlock=off"} },
			try:   func([]string) error { return syscall.Kill(0, nobodyMinds) },
		},
		{
			name: "signal-host-group-unfiltered", alone: true, what: "the same with seccomp=off", stops: []layer{groupLayer}, quiet: true,
			scene: func(s *scene) { s.listenForGroup(); s.opts = []string{"seccomp=off"} },
			try:   func([]string) error { return syscall.Kill(0, nobodyMinds) },
		},
		{
			name: "signal-host-group-own-filter", alone: true, what: "the same with a filter that allows everything, and without Landlock", stops: []layer{filterLayer}, want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) {
				s.allowAll()
				s.opts = append(s.opts, "landlock=off")
				s.listenForGroup()
			},
			try: func([]string) error { return syscall.Kill(0, nobodyMinds) },
		},
		{
			name: "renice-host-group", what: "change the priority of that group", stops: []layer{filterLayer}, filtered: true, plain: true, try: renice,
			scene: func(s *scene) { s.sys = &syscall.SysProcAttr{Setpgid: true} }, // the control is not to meet strangers
			want:  []syscall.Errno{syscall.EPERM},
		},
		{
			name: "read-host-process", what: "read a process's environment in /proc", plain: true, stops: []layer{pidLayer, userLayer}, scene: reading,
			try: func(args []string) error { return holds("/proc/"+args[0]+"/environ", secretVariable) }, want: []syscall.Errno{syscall.ENOENT},
		},
		{
			name: "second-proc", what: "see a process of the host in a procfs that is mounted elsewhere", works: true, hostProfile: true, scene: func(s *scene) { secondProc(s, nil) },
			try: func(args []string) error { return holds(args[0]+"/cmdline", "cat") },
		},
		{
			name: "root-by-second-proc", what: "reach the host's files by a process of the same user's that it sees there", hostProfile: true, needs: landlock(6),
			stops: []layer{landlockLayer}, want: []syscall.Errno{syscall.EACCES},
			scene: func(s *scene) { secondProc(s, &syscall.Credential{Uid: 65534, Gid: 65534}) },
			try: func(args []string) error {
				_, err := os.Stat(args[0] + "/root/etc")
				return err
			},
		},
		{
			name: "proc-pid-root", what: "reach the host's files by /proc/PID/root", plain: true, stops: []layer{pidLayer, userLayer},
			scene: func(s *scene) { reading(s); s.args = append(s.args, s.folder()) },
			try: func(args []string) error {
				return holds("/proc/"+args[0]+"/root"+args[1]+"/f", mine)
			}, want: []syscall.Errno{syscall.ENOENT},
		},
		{
			name: "ptrace-host-process", needs: tracing, what: "attach to a process as a debugger", plain: true, stops: []layer{pidLayer, userLayer}, scene: reading,
			try: func(args []string) error { return call(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(number(args[0]))) }, want: []syscall.Errno{syscall.ESRCH},
		},
		{
			name: "pidfd-host-process", what: "get a descriptor of a process", stops: []layer{pidLayer}, scene: reading,
			try: func(args []string) error {
				_, err := unix.PidfdOpen(number(args[0]), 0)
				return err
			}, want: []syscall.Errno{syscall.ESRCH, syscall.EINVAL},
		},
		{
			name: "memory-of-host-process", needs: tracing, what: "open the memory of a process in /proc", plain: true, stops: []layer{pidLayer, userLayer}, scene: reading,
			try: func(args []string) error { return opens("/proc/"+args[0]+"/mem", os.O_RDWR) }, want: []syscall.Errno{syscall.ENOENT},
		},
		{
			name: "outlive-the-sandbox", what: "leave a daemon behind that ignores signals", plain: true, stops: []layer{pidLayer}, scene: awaitDaemon, try: leaveDaemon, quiet: true,
		},
		{
			name: "kill-process-1", what: "end process 1, which would end the sandbox without a record", stops: []layer{pidLayer}, plain: true,
			scene: func(s *scene) { // outside, a process of the test's stands for it
				if s.plain {
					onVictim(s)
				} else {
					s.args = []string{"1"}
				}
			},
			try: func(args []string) error {
				if err := syscall.Kill(number(args[0]), syscall.SIGKILL); err != nil || args[0] != "1" {
					return err
				}
				return syscall.EPERM // it was sent, and this process is there to say so
			}, want: []syscall.Errno{syscall.EPERM},
		},
	}
}

// tracing says why processes cannot be traced here even without a sandbox.
func tracing() string {
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && string(b) != "0\n" && !isRoot() {
		return "the kernel lets nobody trace his processes (Yama)"
	}
	return ""
}

// nobodyMinds is a signal that harms nobody who has not asked for it.
const nobodyMinds = syscall.SIGWINCH

// listenForGroup hears what is sent to the host's process group. Attempts that have it
// are not made at the same time.
func (s *scene) listenForGroup() {
	if s.plain {
		s.Fatal("the group of the tests is not to be signalled by chance")
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, nobodyMinds)
	s.Cleanup(func() { signal.Stop(c) })
	s.harmed = func() bool {
		select {
		case <-c:
			return true
		case <-time.After(50 * time.Millisecond): // an attempt that worked says so besides
			return false
		}
	}
}

// renice gives the group the priority that it has.
func renice([]string) error {
	prio, err := unix.Getpriority(unix.PRIO_PGRP, 0)
	if err != nil {
		return err
	}
	return unix.Setpriority(unix.PRIO_PGRP, 0, 20-prio)
}

// opens tries to open a file, and nothing more.
func opens(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// secondProc mounts a procfs of the host's in a folder that is in the sandbox, with a
// process in it. A child of another user has no user namespace, and no process group of
// the host's.
func secondProc(s *scene, who *syscall.Credential) {
	if why := root(); why != "" {
		s.Skip(why)
	}
	proc := filepath.Join(s.bound(), "proc")
	if err := os.Mkdir(proc, 0o755); err != nil {
		s.Fatal(err)
	}
	if err := unix.Mount("proc", proc, "proc", 0, ""); err != nil {
		s.Skip("it takes mounting: ", err)
	}
	s.Cleanup(func() { unix.Unmount(proc, unix.MNT_DETACH) })
	s.args = []string{filepath.Join(proc, s.victimOf(who))}
	s.harmed = nil
	if who != nil {
		s.spec = func(spec *spawn.Spec) { asAnother(spec); spec.Session = true }
	}
}

// holds reports by its error whether a file can be read and has a text in it.
func holds(path, text string) error {
	b, err := os.ReadFile(path)
	switch {
	case err != nil:
		return err
	case !bytes.Contains(b, []byte(text)):
		return syscall.ENODATA
	}
	return nil
}

// daemonTime is how long a daemon has to be there to count as one that stays. In a
// sandbox it ends before the program is known to have ended.
const daemonTime = 300 * time.Millisecond

// awaitDaemon hands over a pipe that ends with the last who has it.
func awaitDaemon(s *scene) {
	r, w, err := os.Pipe()
	if err != nil {
		s.Fatal(err)
	}
	s.files = []*os.File{w}
	s.Cleanup(func() { r.Close(); w.Close() })
	s.harmed = func() bool {
		w.Close()
		r.SetReadDeadline(time.Now().Add(daemonTime))
		pid := make([]byte, 32)
		n, _ := r.Read(pid)
		_, err := r.Read(make([]byte, 1))
		daemon, _ := strconv.Atoi(string(pid[:n]))
		if alive := os.IsTimeout(err); alive && daemon > 0 {
			return syscall.Kill(daemon, syscall.SIGKILL) == nil
		}
		return false
	}
}

// leaveDaemon starts a process of its own session that has the pipe, and writes its
// number there.
func leaveDaemon([]string) error {
	pipe := os.NewFile(3, "pipe")
	c := exec.Command("sleep", "60")
	c.ExtraFiles, c.SysProcAttr = []*os.File{pipe}, &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	_, err := fmt.Fprint(pipe, c.Process.Pid)
	return err
}
