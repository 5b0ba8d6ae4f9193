package actor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// known are the errors that every program knows.
func known() Errors {
	return Errors{
		"canceled": typeKind(
			func(e *Canceled) ([]byte, error) { return json.Marshal(e) },
			func(data []byte) (*Canceled, error) { e := new(Canceled); return e, json.Unmarshal(data, e) },
		),
		"deadline":               Value(context.DeadlineExceeded),
		"context.Canceled":       Value(context.Canceled),
		"io.EOF":                 Value(io.EOF),
		"io.ErrUnexpectedEOF":    Value(io.ErrUnexpectedEOF),
		"fs.ErrNotExist":         Value(fs.ErrNotExist),
		"fs.ErrExist":            Value(fs.ErrExist),
		"fs.ErrPermission":       Value(fs.ErrPermission),
		"fs.ErrClosed":           Value(fs.ErrClosed),
		"fs.ErrInvalid":          Value(fs.ErrInvalid),
		"os.ErrDeadlineExceeded": Value(os.ErrDeadlineExceeded),
		"os.ErrProcessDone":      Value(os.ErrProcessDone),
		"errors.ErrUnsupported":  Value(errors.ErrUnsupported),
		"errno": typeKind(
			func(e syscall.Errno) ([]byte, error) { return strconv.AppendUint(nil, uint64(e), 10), nil },
			func(data []byte) (syscall.Errno, error) {
				n, err := strconv.ParseUint(string(data), 10, 16)
				return syscall.Errno(n), err
			},
		),
		"fs.PathError": typeKind(encodePathError, decodePathError),
		"spawn": typeKind(
			func(e *spawn.Error) ([]byte, error) { return e.AppendBinary(nil) },
			func(data []byte) (*spawn.Error, error) { e := new(spawn.Error); return e, e.UnmarshalBinary(data) },
		),
		"spawn.kind": {
			encode: func(err error) ([]byte, bool) {
				b, _ := (&spawn.Error{Kind: err}).AppendBinary(nil) // empty if it is none
				return b, len(b) > 0
			},
			decode: func(data []byte) (error, error) {
				var e spawn.Error
				if err := e.UnmarshalBinary(data); err != nil || e.Kind == nil {
					return nil, errors.Join(err, errors.ErrUnsupported)
				}
				return e.Kind, nil
			},
		},
		"exit": typeKind(
			func(e *spawn.ExitError) ([]byte, error) { return e.AppendBinary(nil) },
			func(data []byte) (*spawn.ExitError, error) {
				e := new(spawn.ExitError)
				return e, e.UnmarshalBinary(data)
			},
		),
	}
}

// pathError is how an *fs.PathError about an errno travels; of any other the
// text is sent and what it wraps.
type pathError struct {
	Op, Path string
	Errno    syscall.Errno
}

func encodePathError(e *fs.PathError) ([]byte, error) {
	errno, ok := e.Err.(syscall.Errno)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return json.Marshal(pathError{e.Op, e.Path, errno})
}

func decodePathError(data []byte) (*fs.PathError, error) {
	var p pathError
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	return &fs.PathError{Op: p.Op, Path: p.Path, Err: p.Errno}, nil
}
