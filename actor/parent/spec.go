package parent

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Spec says what actor to start. Name and Entry are needed; the zero value of
// all others is ready for use. Strings that the actor is told have to be UTF-8
// (Program is not told, but done).
type Spec struct {
	// Name is the actor's name, which need not be unique.
	Name string

	// Entry is the name of the entry point, and Args are its arguments.
	Entry string
	Args  []string

	// Program is the process: its program, environment, descriptors and so
	// on. Without a Path it is this process's own program, and without Args
	// under the name by which this process was started. If descriptor 2 is left
	// open the end of what the actor writes there is kept for error messages.
	Program spawn.Spec

	// Method is the key of the spawn method. Empty means the selected one.
	Method registry.SpawnMethodKey

	// ChildSIGINT says who decides about SIGINT while this process lives.
	ChildSIGINT SIGINTMode

	// Parent is what this process is itself, if it is an actor. Its variables
	// and registrar are passed on.
	Parent *actor.Actor

	// Variables are told to the actor, with those of Parent that they do not
	// replace.
	Variables map[string]string

	// Registrar are the addresses of the registrar. Nil means those of Parent.
	Registrar []string

	// Bind is where the actor is to listen.
	Bind []string

	// Errors are those that keep their identity on the way from the actor.
	// Nil means those of Parent.
	Errors actor.Errors

	// Channel, if it is not nil, is given the channel to the actor before that
	// is told what to be: for its Handle.
	Channel func(*channel.Channel)

	// Stderr, if it is not nil, is written what the actor writes to its
	// standard error. It has no meaning when Program has a descriptor 2.
	Stderr io.Writer

	// Handshake is what the actor has from its start until it is ready. Zero
	// means 10 s.
	Handshake time.Duration

	// Stop says how the actor is ended. Ask and AskWaits are set by Start:
	// the request goes over the channel, and AskTime is what the actor has to
	// acknowledge it (0.5 s if zero). Grace begins with the request.
	Stop host.StopOptions
}

// A SIGINTMode says who decides about SIGINT in an actor while its parent lives.
// An actor whose parent is gone always obeys.
type SIGINTMode string

// The modes. Empty is SIGINTParent.
const (
	// SIGINTParent: the actor ignores the signal; the parent, which may have got
	// it too from a terminal, cancels it or does not.
	SIGINTParent SIGINTMode = channel.SIGINTParent
	// SIGINTSelf: the signal cancels the actor.
	SIGINTSelf SIGINTMode = channel.SIGINTSelf
)

// Bounds that are used when the Spec has none.
const (
	defaultHandshake = 10 * time.Second
	defaultAckTime   = 500 * time.Millisecond
)

// completed returns s with defaults, or says what is wrong with it.
func (s Spec) completed() (Spec, error) {
	switch {
	case s.Name == "":
		return s, specError("no name given")
	case s.Entry == "":
		return s, specError(fmt.Sprintf("actor %q: no entry point given", s.Name))
	case s.ChildSIGINT != "" && s.ChildSIGINT != SIGINTParent && s.ChildSIGINT != SIGINTSelf:
		return s, specError(fmt.Sprintf("actor %q: ChildSIGINT is %q: want %q or %q", s.Name, s.ChildSIGINT, SIGINTParent, SIGINTSelf))
	}
	if p := s.Parent; p != nil {
		if s.Registrar == nil {
			s.Registrar = p.Registrar
		}
		if s.Errors == nil {
			s.Errors = p.Errors
		}
	}
	s.Variables = s.variables()
	if err := s.checkText(); err != nil {
		return s, err
	}
	if s.Handshake <= 0 {
		s.Handshake = defaultHandshake
	}
	if s.Stop.AskTime <= 0 {
		s.Stop.AskTime = defaultAckTime
	}
	if s.Program.Path == "" {
		path, err := os.Executable()
		if err != nil {
			return s, &spawn.Error{Phase: spawn.PhaseResolve, Op: "this program's path", Err: err}
		}
		s.Program.Path = path
		if len(s.Program.Args) == 0 {
			s.Program.Args = os.Args[:1]
		}
	}
	return s, nil
}

func (s *Spec) variables() map[string]string {
	all := map[string]string{}
	if s.Parent != nil {
		for k, v := range s.Parent.Variables {
			all[k] = v
		}
	}
	for k, v := range s.Variables {
		all[k] = v
	}
	return all
}

// text is all that the actor is told.
func (s *Spec) text() []string {
	text := append([]string{s.Name, s.Entry}, s.Args...)
	text = append(append(text, s.Registrar...), s.Bind...)
	for k, v := range s.Variables {
		text = append(text, k, v)
	}
	return text
}

// size is how much that is, in bytes.
func (s *Spec) size() (n int) {
	for _, t := range s.text() {
		n += len(t)
	}
	return n
}

// checkText refuses what could not be told as it is.
func (s *Spec) checkText() error {
	for _, t := range s.text() {
		if !utf8.ValidString(t) {
			return specError(fmt.Sprintf("actor %q: %q is not UTF-8", s.Name, t))
		}
	}
	return nil
}

func specError(msg string) error {
	return &spawn.Error{Phase: spawn.PhaseResolve, Op: "actor", Errno: syscall.EINVAL, Msg: msg}
}
