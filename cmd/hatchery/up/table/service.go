package table

import (
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// RegistrarName is the name of the registrar, which no service can have.
const RegistrarName = "registrar"

// service reads the table of one service.
func (r *reader) service(name string, v any) {
	line := r.at("service", name)
	values, ok := v.(map[string]any)
	switch {
	case !ok:
		r.add(line, name, "", "it is no table: want %s", example)
		return
	case !goodName(name):
		r.add(line, name, "", "the name is %d bytes long, or has other characters than letters, digits, - and _: want 1 to 64 of those", len(name))
		return
	case name == RegistrarName:
		r.add(line, name, "", "the registrar is no service, it is started when an actor needs it: want [registrar] for its addresses, or another name")
		return
	}
	f := &fieldSet{reader: r, service: name, key: []string{"service", name}, values: values}
	s := Service{Name: name, Line: line}
	f.what(&s)
	f.surroundings(&s)
	f.method(&s)
	s.After = f.list("after", `a list of names of services`)
	s.Restart = f.restart()
	s.StartTimeout = f.duration("start_timeout")
	s.Grace = f.duration("grace")
	s.StopSignal = f.signal()
	f.unknown()
	r.table.Services = append(r.table.Services, s)
}

func goodName(s string) bool {
	for _, c := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", c) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

// what reads the command, or the actor.
func (f *fieldSet) what(s *Service) {
	_, isCommand := f.values["command"]
	_, isActor := f.values["actor"]
	switch {
	case isCommand && isActor:
		f.bad("actor", "there is a command too: want one of the two")
	case !isCommand && !isActor:
		f.add(s.Line, s.Name, "command", `it is missing: want command = ["PROGRAM", "ARG"], or actor = "ENTRY" with program = ["PROGRAM"]`)
	}
	command := f.program("command")
	s.Actor = f.text("actor", "the name of an entry point")
	s.Program = f.program("program")
	s.Args = f.list("args", "a list of strings")
	s.Bind = f.addresses("bind", nil)
	if isActor {
		if _, given := f.values["program"]; !given {
			f.add(s.Line, s.Name, "program", `it is missing: want program = ["PROGRAM"], the program that has the entry point %q`, s.Actor)
		}
		return
	}
	for _, field := range []string{"program", "args", "bind"} {
		if _, given := f.values[field]; given {
			f.bad(field, "it is for actors alone: want it in command, or actor too")
		}
	}
	s.Program = command
}

// surroundings reads where and as whom a service runs.
func (f *fieldSet) surroundings(s *Service) {
	s.Dir = f.dir
	if dir := f.text("dir", "a folder"); dir != "" {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(f.dir, dir)
		}
		if st, err := os.Stat(dir); err == nil && !st.IsDir() {
			f.bad("dir", "%s is no folder", dir)
		}
		s.Dir = dir
	}
	s.ClearEnv, _ = value[bool](f, "clear_env", "true or false")
	env, _ := value[map[string]any](f, "env", `a table of strings, such as {KEY = "VALUE"}`)
	for _, k := range slices.Sorted(maps.Keys(env)) {
		v, ok := env[k].(string)
		if !ok || k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
			f.bad("env."+k, `it is %s: want KEY = "VALUE"`, kind(env[k]))
			continue
		}
		s.Env = append(s.Env, k+"="+v)
	}
	if name := f.text("user", "the name of a user, or its number"); name != "" {
		var err error
		switch s.Credential, err = credential(name); {
		case err != nil:
			f.bad("user", "%v: want the name of a user, or its number", err)
		case s.Credential.UID == uint32(os.Geteuid()) && os.Geteuid() != 0:
			s.Credential = nil // who is no root cannot choose groups, the same ones included
		case s.Actor != "":
			f.bad("user", "an actor runs as the user that hatchery does, whom alone the registrar lets in: want it in commands only")
		}
	}
}

// credential returns the identity of a user, with all groups.
func credential(name string) (*spawn.Credential, error) {
	u, err := user.Lookup(name)
	if uid, nerr := strconv.ParseUint(name, 10, 32); nerr == nil && err != nil {
		if u, err = user.LookupId(name); err != nil {
			return &spawn.Credential{UID: uint32(uid), GID: uint32(uid)}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	c := &spawn.Credential{}
	for to, text := range map[*uint32]string{&c.UID: u.Uid, &c.GID: u.Gid} {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has no numbers on this system", name)
		}
		*to = uint32(n)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			c.Groups = append(c.Groups, uint32(n))
		}
	}
	return c, nil
}

// method reads the spawn method and its settings.
func (f *fieldSet) method(s *Service) {
	s.Method = f.text("method", "the key of a spawn method")
	if s.Method != "" {
		if err := f.checkMethod(s.Method); err != nil {
			f.bad("method", "%v", err)
		}
	}
	s.Options = f.list("options", `a list of settings, such as ["KEY=VALUE"]`)
	for i, o := range s.Options {
		if _, err := spawn.ParseOption(o); err != nil {
			f.bad("options", "entry %d: %v", i+1, err)
		}
	}
}

// signal reads the signal that asks a service to end.
func (f *fieldSet) signal() syscall.Signal {
	const want = `"TERM", "INT", "QUIT" or "HUP"`
	name := f.text("stop_signal", want)
	switch strings.TrimPrefix(name, "SIG") {
	case "":
	case "TERM":
		return syscall.SIGTERM
	case "INT":
		return syscall.SIGINT
	case "QUIT":
		return syscall.SIGQUIT
	case "HUP":
		return syscall.SIGHUP
	default:
		f.bad("stop_signal", "it is %q: want %s", name, want)
	}
	return 0
}
