package spawn

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"syscall"
)

// AsError returns err as an *Error. What is not one already becomes one: its
// kind and errno are found with errors.Is and errors.As, its text is kept, and
// it is the Err of the result. The errors of package context become
// [ErrCanceled] and [ErrTimeout], and what package fs knows by name becomes an
// errno. AsError(nil) is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	out := &Error{Err: err}
	var inner *Error
	if errors.As(err, &inner) {
		*out = *inner
		out.Msg, out.Err = err.Error(), err
		return out
	}
	out.Kind, out.Errno = kindOf(err), errnoOf(err)
	var pe *fs.PathError
	if errors.As(err, &pe) {
		out.Op, out.Path = pe.Op, pe.Path
	}
	if out.Kind != nil || out.Errno != 0 {
		out.Msg = err.Error()
	}
	return out
}

// kindOf returns the kind that err is, and of several the one with the lowest
// number.
func kindOf(err error) error {
	all := kinds()
	for _, number := range slices.Sorted(maps.Keys(all)) {
		if errors.Is(err, all[number]) {
			return all[number]
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ErrCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	}
	return nil
}

func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	}
	return 0
}

// AppendBinary appends the error in the encoding of spawnv1.Error. Of Err the
// text is sent, as part of the message: on the other side, Error returns the
// same text. The error that AppendBinary returns is always nil.
func (e *Error) AppendBinary(b []byte) ([]byte, error) {
	b = putString(b, 1, e.Key)
	b = putString(b, 2, string(e.Phase))
	b = putString(b, 3, e.Op)
	b = putString(b, 4, e.Path)
	b = putUint(b, 5, uint64(e.Errno))
	for number, kind := range kinds() {
		if e.Kind == kind {
			b = putUint(b, 6, number)
		}
	}
	b = putString(b, 7, e.message())
	if e.Blocked != nil {
		b = putMessage(b, 8, e.Blocked.put)
	}
	return b, nil
}

// message returns Msg with the text of the cause that stays behind, where the
// text of the error has it.
func (e *Error) message() string {
	if e.Err == nil || e.Errno != 0 {
		return e.Msg
	}
	cause := e.Err.Error()
	switch {
	case e.Msg == "":
		return cause
	case cause == "" || e.says(cause):
		return e.Msg
	}
	return e.Msg + ": " + cause
}

// UnmarshalBinary decodes what AppendBinary made. A kind that this version
// does not know leaves Kind nil; the message still says what happened.
func (e *Error) UnmarshalBinary(data []byte) error {
	*e = Error{}
	return eachField(data, func(w wireField) error {
		switch w.field {
		case 1:
			e.Key = w.str()
		case 2:
			e.Phase = Phase(w.str())
		case 3:
			e.Op = w.str()
		case 4:
			e.Path = w.str()
		case 5:
			e.Errno = syscall.Errno(w.num)
		case 6:
			e.Kind = kinds()[w.num]
		case 7:
			e.Msg = w.str()
		case 8:
			e.Blocked = new(Blocked)
			return eachField(w.data, e.Blocked.field)
		}
		return nil
	})
}

func (k *Blocked) put(b []byte) []byte {
	b = putString(b, 1, k.Reason)
	b = putString(b, 2, k.Alternative)
	b = putString(b, 3, k.Analysis)
	return putString(b, 4, k.Scenario)
}

func (k *Blocked) field(w wireField) error {
	switch w.field {
	case 1:
		k.Reason = w.str()
	case 2:
		k.Alternative = w.str()
	case 3:
		k.Analysis = w.str()
	case 4:
		k.Scenario = w.str()
	}
	return nil
}
