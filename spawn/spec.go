package spawn

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// A Spec says what the caller wants to run. The zero value of every field but
// Path means what it means in package os/exec: the host's own, at the time of
// the call. A Spec is not changed by starting it and may be used again.
type Spec struct {
	// Path is the program. Without a slash it is looked up in the host's
	// $PATH; with one it is relative to Dir, if that is set.
	Path string

	// Args is the argument list, Args[0] first. Empty means {Path}.
	Args []string

	// Env is the environment, as "key=value". Nil means the host's; an
	// empty list that is not nil means none. The child gets exactly this, in
	// this order: nothing is added, removed or sorted. (Of a method whose
	// children are no local processes nil leaves it to the method: the host's
	// environment is not sent to another machine unless somebody says so.)
	Env []string

	// Dir is the working directory. Empty means the host's.
	Dir string

	// Files are the child's descriptors: Files[i] becomes descriptor i. A
	// nil entry below 3, or one that is missing, is /dev/null; a nil entry
	// from 3 on is not open in the child. The caller keeps the files and
	// may close them once Start has returned.
	Files []*os.File

	// Session puts the child into a session of its own, setsid(2), without
	// a controlling terminal unless Terminal is set.
	Session bool

	// Group is the child's process group: [HostGroup] (the zero value),
	// [NewGroup], or the id of an existing group of the same session.
	// It must be zero with Session, which makes a group by itself.
	Group int

	// Terminal, when not nil, is the child's descriptor (an index of Files)
	// that becomes the controlling terminal of its new session,
	// TIOCSCTTY in ioctl_tty(2). It requires Session.
	Terminal *int

	// Foreground, when not nil, is the child's descriptor (an index of
	// Files) of the host's controlling terminal, whose foreground group the
	// child's group becomes before the program begins: TIOCSPGRP in
	// ioctl_tty(2). It requires a Group other than HostGroup. The host is in
	// the background then; host.Cmd.Wait takes the terminal back, users of
	// host.Start do it with host.TakeForeground.
	Foreground *int

	// Credential is the identity the child runs under; nil means the host's:
	// its effective user and group and the supplementary groups. (Security
	// filters are those the host had when it was opened.)
	Credential *Credential

	// Umask is the file mode creation mask; nil means the host's.
	Umask *uint32

	// Limits are resource limits to set, setrlimit(2). What is not named
	// here is the host's.
	Limits []Limit

	// Ignore lists signals that are ignored in the child, as nohup(1) does
	// with SIGHUP. All others have their default action, whatever the host
	// does with them.
	Ignore []syscall.Signal

	// NoNewPrivs sets the attribute of that name (prctl(2), Linux 3.5): no
	// exec can give the child more rights than it has.
	NoNewPrivs bool

	// Options are the backend's own settings, in the order in which they
	// were given. A key may stand more than once.
	Options []Option

	// open has the numbers of the descriptors in use while Files, decoded
	// from a message, has not been given them.
	open []int
}

// Values of Spec.Group that are not the id of a group.
const (
	HostGroup = 0  // the host's own group
	NewGroup  = -1 // a group of the child's own
)

// A Credential is the identity a child runs under: see credentials(7).
type Credential struct {
	UID, GID uint32
	// Groups are the supplementary groups. An empty list clears them.
	Groups []uint32
	// KeepGroups leaves the supplementary groups as the host has them.
	KeepGroups bool
}

// A Limit is one resource limit: see setrlimit(2).
type Limit struct {
	Resource   int // RLIMIT_NOFILE and its kin
	Soft, Hard uint64
}

// Unlimited is RLIM_INFINITY.
const Unlimited = ^uint64(0)

// An Option is one setting for a backend, as in --opt key=value.
type Option struct{ Key, Value string }

// ParseOption parses "key=value". The key must not be empty.
func ParseOption(s string) (Option, error) {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return Option{}, fmt.Errorf("option %q: want KEY=VALUE", s)
	}
	return Option{k, v}, nil
}

// MaxFiles is how many descriptors one child can be given. The kernel passes
// 253 in a message (SCM_MAX_FD); the rest is for the plan's own.
const MaxFiles = 240

// Validate reports what is wrong with s before anything is sent or started.
// Every error it returns is an [*Error] in [PhaseResolve]; a NUL byte in any
// string is EINVAL, as execve(2) could not express it.
func (s *Spec) Validate() error {
	if s.Path == "" {
		return specError(syscall.EINVAL, "", "no program given")
	}
	if i := strings.IndexByte(s.Path, 0); i >= 0 {
		return hasNUL(s.Path, "the program", i)
	}
	if i := strings.IndexByte(s.Dir, 0); i >= 0 {
		return hasNUL(s.Dir, "the directory", i)
	}
	for n, a := range s.Args {
		if i := strings.IndexByte(a, 0); i >= 0 {
			return hasNUL(s.Path, fmt.Sprintf("argument %d", n), i)
		}
	}
	for n, e := range s.Env {
		if i := strings.IndexByte(e, 0); i >= 0 {
			return hasNUL(s.Path, fmt.Sprintf("environment entry %d", n), i)
		}
	}
	if len(s.Files) > MaxFiles {
		return specError(syscall.EINVAL, s.Path, fmt.Sprintf("%d descriptors: at most %d can be passed", len(s.Files), MaxFiles))
	}
	return s.validateJob()
}

// validateJob checks the fields that contradict each other.
func (s *Spec) validateJob() error {
	switch {
	case s.Umask != nil && *s.Umask > 0o777:
		return specError(syscall.EINVAL, s.Path, fmt.Sprintf("umask %#o: at most 0777", *s.Umask))
	case s.Group < NewGroup:
		return specError(syscall.EINVAL, s.Path, fmt.Sprintf("process group %d: want HostGroup, NewGroup or the id of a group", s.Group))
	case s.Session && s.Group != HostGroup:
		return specError(syscall.EINVAL, s.Path, "Session and Group together: a new session has a group of its own")
	case s.Terminal != nil && !s.Session:
		return specError(syscall.EINVAL, s.Path, "Terminal without Session: only a new session can acquire a controlling terminal")
	case s.Foreground != nil && s.Session:
		return specError(syscall.EINVAL, s.Path, "Session and Foreground together: a new session has no part in the host's terminal")
	case s.Foreground != nil && s.Group == HostGroup:
		return specError(syscall.EINVAL, s.Path, "Foreground without Group: it is a group of the child's own, or the one it joins, that comes to the foreground")
	case s.Foreground != nil && (*s.Foreground < 0 || *s.Foreground >= len(s.Files)):
		return specError(syscall.EINVAL, s.Path, fmt.Sprintf("Foreground %d is not one of the %d descriptors", *s.Foreground, len(s.Files)))
	case s.Terminal != nil && (*s.Terminal < 0 || *s.Terminal >= len(s.Files)):
		return specError(syscall.EINVAL, s.Path, fmt.Sprintf("Terminal %d is not one of the %d descriptors", *s.Terminal, len(s.Files)))
	}
	for _, sig := range s.Ignore {
		if sig < 1 || sig > 64 || sig == syscall.SIGKILL || sig == stopSignal {
			return specError(syscall.EINVAL, s.Path, fmt.Sprintf("signal %d cannot be ignored", int(sig)))
		}
	}
	return nil
}

// Argv returns the argument list the child will see, never empty.
func (s *Spec) Argv() []string {
	if len(s.Args) == 0 {
		return []string{s.Path}
	}
	return s.Args
}

// Option returns the last value given for key.
func (s *Spec) Option(key string) (value string, ok bool) {
	for _, o := range s.Options {
		if o.Key == key {
			value, ok = o.Value, true
		}
	}
	return value, ok
}

// Shape returns a copy of s without what differs from one child to the next:
// program, arguments, environment, directory and descriptors. Two Specs of
// equal shape can share a reusable plan. Whether a directory was given at all
// is part of the shape: Dir is "." there.
func (s *Spec) Shape() Spec {
	c := *s
	c.Path, c.Args, c.Env, c.Files, c.open = "", nil, nil, nil, nil
	if c.Dir != "" {
		c.Dir = "."
	}
	return c
}

// hasNUL names what has the NUL byte, never its content: an environment entry
// may be a secret.
func hasNUL(path, what string, offset int) error {
	return specError(syscall.EINVAL, path, fmt.Sprintf("%s has a NUL byte at offset %d", what, offset))
}

func specError(errno syscall.Errno, path, msg string) error {
	return &Error{Phase: PhaseResolve, Path: path, Errno: errno, Msg: msg}
}
