package spawn

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The protobuf wire format, as much of it as the messages of this package
// need: see https://protobuf.dev/programming-guides/encoding/. Fields with the
// default value are left out, unknown fields are passed over, and the last
// value of a field that should stand once wins.

const (
	wireVarint = 0
	wireI64    = 1
	wireBytes  = 2
	wireI32    = 5
)

// errMalformed is what every decoder returns, wrapped, for bytes that are no
// message.
var errMalformed = errors.New("malformed message")

func putKey(b []byte, field, typ int) []byte {
	return binary.AppendUvarint(b, uint64(field)<<3|uint64(typ))
}

// putUint appends a varint field; zero is left out.
func putUint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(putKey(b, field, wireVarint), v)
}

func putInt(b []byte, field int, v int64) []byte { return putUint(b, field, uint64(v)) }

func putBool(b []byte, field int, v bool) []byte {
	if v {
		return putUint(b, field, 1)
	}
	return b
}

// putString appends a bytes field; an empty one is left out.
func putString(b []byte, field int, s string) []byte {
	if s == "" {
		return b
	}
	return putElem(b, field, s)
}

// putElem appends one element of a repeated bytes field, empty or not.
func putElem(b []byte, field int, s string) []byte {
	b = binary.AppendUvarint(putKey(b, field, wireBytes), uint64(len(s)))
	return append(b, s...)
}

func putElems(b []byte, field int, ss []string) []byte {
	for _, s := range ss {
		b = putElem(b, field, s)
	}
	return b
}

// putMessage appends a message field whose content put appends. A message
// that is there but empty is sent as such.
func putMessage(b []byte, field int, put func([]byte) []byte) []byte {
	content := put(nil)
	b = binary.AppendUvarint(putKey(b, field, wireBytes), uint64(len(content)))
	return append(b, content...)
}

// A wireField is one decoded field: num is its value if it is a number, data
// if it is bytes.
type wireField struct {
	field int
	typ   int
	num   uint64
	data  []byte
}

func (f wireField) str() string { return string(f.data) }
func (f wireField) bool() bool  { return f.num != 0 }

// eachField calls f for every field of message, and stops at its first error.
func eachField(message []byte, f func(wireField) error) error {
	for len(message) > 0 {
		w, n, err := nextField(message)
		if err != nil {
			return err
		}
		message = message[n:]
		if err := f(w); err != nil {
			return err
		}
	}
	return nil
}

func nextField(b []byte) (w wireField, size int, err error) {
	key, n := binary.Uvarint(b)
	if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
		return w, 0, fmt.Errorf("%w: bad field key", errMalformed)
	}
	w.field, w.typ = int(key>>3), int(key&7)
	size = n
	b = b[n:]
	switch w.typ {
	case wireVarint:
		w.num, n = binary.Uvarint(b)
		if n <= 0 {
			return w, 0, fmt.Errorf("%w: field %d: bad varint", errMalformed, w.field)
		}
	case wireBytes:
		l, m := binary.Uvarint(b)
		if m <= 0 || l > uint64(len(b)-m) {
			return w, 0, fmt.Errorf("%w: field %d: truncated", errMalformed, w.field)
		}
		w.data, n = b[m:m+int(l)], m+int(l)
	case wireI64, wireI32:
		n = 8
		if w.typ == wireI32 {
			n = 4
		}
		if len(b) < n {
			return w, 0, fmt.Errorf("%w: field %d: truncated", errMalformed, w.field)
		}
	default:
		return w, 0, fmt.Errorf("%w: field %d: wire type %d", errMalformed, w.field, w.typ)
	}
	return w, size + n, nil
}

// eachNumber calls f for every element of a repeated number, packed or not.
func (f wireField) eachNumber(fn func(uint64)) error {
	if f.typ == wireVarint {
		fn(f.num)
		return nil
	}
	for b := f.data; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return fmt.Errorf("%w: field %d: bad packed varint", errMalformed, f.field)
		}
		fn(v)
		b = b[n:]
	}
	return nil
}

// putPacked appends a repeated number in packed form; an empty one is left out.
func putPacked(b []byte, field int, n int, at func(int) uint64) []byte {
	if n == 0 {
		return b
	}
	return putMessage(b, field, func(b []byte) []byte {
		for i := range n {
			b = binary.AppendUvarint(b, at(i))
		}
		return b
	})
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
