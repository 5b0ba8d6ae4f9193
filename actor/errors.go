package actor

import (
	"encoding/json"
	"errors"
)

// Errors are errors that keep their identity between processes, by names on
// which both sides have to agree:
//
//	actor.Errors{
//		"app.full":  actor.Value(ErrFull),         // errors.Is(err, ErrFull)
//		"app.quota": actor.Type[*QuotaError](),    // errors.As(err, &quota)
//	}
//
// Those of packages spawn, context, io/fs and syscall, and some others of the
// standard library, are known without that. Nil is ready for use.
type Errors map[string]Kind

// A Kind is how one kind of error travels: see Value and Type.
type Kind struct {
	encode func(error) (data []byte, ok bool)
	decode func(data []byte) (error, error)
}

// Value is the kind of one error that programs compare with, as io.EOF is.
func Value(err error) Kind {
	return Kind{
		encode: func(e error) ([]byte, bool) { return nil, same(e, err) },
		decode: func([]byte) (error, error) { return err, nil },
	}
}

// same compares two errors, of which some cannot be compared.
func same(a, b error) (equal bool) {
	defer func() { recover() }()
	return a == b
}

// Type is the kind of all errors of the type E, a struct or a pointer to one. Its
// exported fields are sent in the encoding of package json. The other side makes
// an error of the same type of them.
func Type[E error]() Kind {
	return typeKind(
		func(e E) ([]byte, error) { return json.Marshal(e) },
		func(data []byte) (e E, err error) { err = json.Unmarshal(data, &e); return e, err },
	)
}

// typeKind is the kind of all errors of type E, with an encoding of their own.
func typeKind[E error](encode func(E) ([]byte, error), decode func([]byte) (E, error)) Kind {
	return Kind{
		encode: func(err error) ([]byte, bool) {
			e, ok := err.(E)
			if !ok {
				return nil, false
			}
			data, eerr := encode(e)
			return data, eerr == nil
		},
		decode: func(data []byte) (error, error) {
			e, err := decode(data)
			if err == nil && any(e) == nil {
				err = errors.New("null")
			}
			return e, err
		},
	}
}
