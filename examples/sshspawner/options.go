package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// schema says which options there are. A host refuses a Spec that does not fit
// before this backend sees it.
const schema = `{
  "properties": {
    "host": {"type": "string", "pattern": "^[^-].*$", "description": "where the children run: a name, an address, or a Host of the configuration of ssh"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "the port, if it is not that of the configuration"},
    "user": {"type": "string", "pattern": "^[^-].*$", "description": "who logs in, if it is not who the configuration says"},
    "identity": {"type": "string", "description": "the file of the private key, the only one that is tried"},
    "known_hosts": {"type": "string", "description": "the file with the keys of hosts; one that is not in it is refused, never asked about"},
    "config": {"type": "string", "description": "a configuration file of ssh in place of the user's and the system's"},
    "alive": {"type": "integer", "minimum": 1, "maximum": 3600, "default": "5", "description": "seconds; after three times as many without a word the connection is lost, on both sides"}
  },
  "required": ["host"],
  "additionalProperties": false
}`

// A target is where children run and how it is reached. Children with equal
// targets share connections.
type target struct {
	host, port, user             string
	identity, knownHosts, config string
	alive                        time.Duration
}

// targetOf returns the target that a Spec names.
func targetOf(s *spawn.Spec) (target, error) {
	t := target{alive: 5 * time.Second}
	for _, o := range s.Options {
		switch o.Key {
		case "host":
			t.host = o.Value
		case "port":
			t.port = o.Value
		case "user":
			t.user = o.Value
		case "identity":
			t.identity = o.Value
		case "known_hosts":
			t.knownHosts = o.Value
		case "config":
			t.config = o.Value
		case "alive":
			n, err := strconv.Atoi(o.Value)
			if err != nil || n < 1 || n > 3600 {
				return t, bad("alive=%s: want seconds, 1 to 3600", o.Value)
			}
			t.alive = time.Duration(n) * time.Second
		default: // a host that knows nothing of schemas
			return t, bad("%s=%s: there is no such option", o.Key, o.Value)
		}
	}
	if t.host == "" || strings.HasPrefix(t.host, "-") || strings.HasPrefix(t.user, "-") {
		return t, bad("host=%s: want host=NAME, and neither it nor user= begins with a dash", t.host)
	}
	return t, nil
}

func bad(format string, args ...any) error {
	return &spawn.Error{Kind: spawn.ErrBadOption, Msg: fmt.Sprintf(format, args...)}
}

// arguments returns what ssh is started with to reach the target, up to the
// command that it runs there. control is the path of its control socket.
func (t target) arguments(control string) []string {
	args := []string{
		"-M", "-S", control, "-T", "-e", "none", "-x", "-a",
		"-o", "ControlPersist=no", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ClearAllForwardings=yes",
		"-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none", "-o", "UpdateHostKeys=no",
	}
	for flag, value := range map[string]string{"-F": t.config, "-p": t.port, "-l": t.user, "-i": t.identity} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	if t.identity != "" {
		args = append(args, "-o", "IdentitiesOnly=yes")
	}
	if t.knownHosts != "" {
		args = append(args, "-o", "UserKnownHostsFile="+strconv.Quote(t.knownHosts))
	}
	return append(args, "--", t.host)
}

// refuse returns an error for a Spec that asks for what a child there cannot have.
func refuse(s *spawn.Spec) error {
	for what, asked := range map[string]bool{
		"descriptors beyond 2": len(s.Files) > 3, "a process group or session": s.Group != spawn.HostGroup || s.Session,
		"a terminal": s.Terminal != nil || s.Foreground != nil, "another identity": s.Credential != nil,
		"limits": len(s.Limits) > 0, "ignored signals": len(s.Ignore) > 0, "no_new_privs": s.NoNewPrivs,
	} {
		if asked {
			return &spawn.Error{Kind: spawn.ErrUnavailable, Path: s.Path, Msg: what + " cannot be had over ssh"}
		}
	}
	seen := map[string]bool{}
	for n, v := range s.Env {
		name, _, ok := strings.Cut(v, "=")
		if !ok || name == "" || seen[name] {
			// Not the entry itself, which may be a secret.
			return &spawn.Error{Errno: syscall.EINVAL, Path: s.Path,
				Msg: fmt.Sprintf("entry %d of the environment: over ssh each has a name of its own, a = and a value", n)}
		}
		seen[name] = true
	}
	return nil
}

// name is the target for people.
func (t target) name() string {
	return "ssh " + cmp.Or(t.user, "") + map[bool]string{true: "@"}[t.user != ""] + t.host
}
