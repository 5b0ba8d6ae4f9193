package spawn

import (
	"errors"
	"io/fs"
	"syscall"
)

// AsError returns err as an *Error. What is not one already becomes one: its
// kind and errno are found with errors.Is and errors.As, its text is kept, and
// it is the Err of the result. AsError(nil) is nil.
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
	for _, kind := range kinds() {
		if errors.Is(err, kind) {
			out.Kind = kind
		}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		out.Errno = errno
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		out.Op, out.Path = pe.Op, pe.Path
	}
	if out.Kind != nil || out.Errno != 0 {
		out.Msg = err.Error()
	}
	return out
}

// AppendBinary appends the error in the encoding of spawnv1.Error. Of Err the
// text is sent, as part of the message. The error it returns is always nil.
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

// message returns Msg, or the text of the cause that stays behind.
func (e *Error) message() string {
	if e.Msg == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Msg
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
