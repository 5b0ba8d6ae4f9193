package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/capability"
	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Machine is what the includes and excludes of a profile ask about.
type Machine struct {
	Arch   seccomp.Arch
	Kernel string // as in "6.18.44-generic"; "" is newer than any
	// Capabilities are those that the program will have.
	Capabilities capability.Set
}

// A Profile is what was read.
type Profile struct {
	Filter seccomp.Filter
	Flags  uint32 // of seccomp(2): SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW
	// Notes say what of the profile has no effect, or another one than written;
	// never less strict.
	Notes []string
}

// Read reads the profile that a file has. Errors name the file, the entry and
// what would be right; they match spawn.ErrBadOption.
func Read(file string, text []byte, m Machine) (*Profile, error) {
	r := &reader{machine: m, decided: make(map[string]decision)}
	if err := r.read(text); err != nil {
		return nil, &spawn.Error{Phase: spawn.PhasePlan, Op: string(spawn.OpSeccomp), Path: file, Kind: spawn.ErrBadOption, Msg: err.Error()}
	}
	return &r.out, nil
}

type reader struct {
	machine Machine
	out     Profile
	decided map[string]decision
}

// A decision is the rule without conditions that a call has had already.
type decision struct {
	entry  int
	action seccomp.Action
}

func (r *reader) read(text []byte) error {
	var d document
	if err := decode(text, &d); err != nil {
		return err
	}
	if err := r.head(&d); err != nil {
		return err
	}
	for i, raw := range d.Syscalls {
		if err := r.entry(i, raw); err != nil {
			return fmt.Errorf("line %d: syscalls[%d]: %w", entryLine(text, i), i, err)
		}
	}
	return nil
}

func (r *reader) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(r.out.Notes, n) {
		r.out.Notes = append(r.out.Notes, n)
	}
}

// head reads everything but the rules.
func (r *reader) head(d *document) error {
	if d.DefaultAction == "" {
		return errors.New("defaultAction is missing: it says what happens to calls that no rule decides, as SCMP_ACT_ERRNO or SCMP_ACT_ALLOW")
	}
	a, err := r.action(d.DefaultAction, d.DefaultErrnoRet, d.DefaultErrno)
	if err != nil {
		return fmt.Errorf("defaultAction: %w", err)
	}
	r.out.Filter.Default = a
	// Who refuses what is not named means calls there are. To programs that try
	// what a later kernel has, this is one that has it not.
	if a.Stricter(seccomp.Log) && !a.Stricter(seccomp.Errno(0)) {
		r.out.Filter.Unknown = seccomp.Errno(38) // ENOSYS
	}
	if d.ListenerPath != "" || d.ListenerMetadata != "" {
		return errors.New("listenerPath: nobody listens here; leave it out")
	}
	for _, f := range d.Flags {
		switch f {
		case "SECCOMP_FILTER_FLAG_LOG":
			r.out.Flags |= 2
		case "SECCOMP_FILTER_FLAG_SPEC_ALLOW":
			r.out.Flags |= 4
		case "SECCOMP_FILTER_FLAG_TSYNC": // there is one thread
		default:
			return fmt.Errorf("flags: %q: there are SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW and _TSYNC", f)
		}
	}
	return r.architectures(d.Architectures)
}

func (r *reader) architectures(all []string) error {
	own := map[seccomp.Arch]string{seccomp.AMD64: "SCMP_ARCH_X86_64", seccomp.ARM64: "SCMP_ARCH_AARCH64"}[r.machine.Arch]
	if len(all) > 0 && !slices.Contains(all, own) && !slices.Contains(all, "SCMP_ARCH_NATIVE") {
		return fmt.Errorf("architectures: the profile is for %s, this machine is %s", strings.Join(all, ", "), own)
	}
	for _, a := range all {
		if a != own && a != "SCMP_ARCH_NATIVE" {
			r.note("architectures: calls by way of %s stay shut", a)
		}
	}
	return nil
}

// decode decodes one JSON value and nothing behind it; names it does not know
// are errors.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		return fmt.Errorf("there is something behind the end, line %d", line(text, d.InputOffset()))
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: line %d: %w", line(text, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: want %s, not a %s", kind.Field, kind.Type, kind.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("not JSON: it ends too early")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("there is no field %s: %s", name, fields(into))
	}
	return err
}

func line(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
}

// entryLine returns the line in which a rule begins. text has been decoded before.
func entryLine(text []byte, entry int) int {
	d := json.NewDecoder(bytes.NewReader(text))
	var skipped json.RawMessage
	d.Token() // the document's {
	for d.More() {
		if key, _ := d.Token(); !strings.EqualFold(fmt.Sprint(key), "syscalls") { // encoding/json does not look at the case either
			d.Decode(&skipped)
			continue
		}
		d.Token() // the list's [
		for range entry {
			d.Decode(&skipped)
		}
		d.Token() // the rule's {, or what stands for one
		break
	}
	return line(text, d.InputOffset())
}
