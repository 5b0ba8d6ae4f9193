package bytesize

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "007": 7, "64k": 64 << 10, "64K": 64 << 10, "3m": 3 << 20, "2G": 2 << 30, "1t": 1 << 40,
		"9223372036854775807": 1<<63 - 1, "8191t": 8191 << 40, "8388607t": 8388607 << 40,
	} {
		if n, err := Parse(text); n != want || err != nil {
			t.Errorf("%q: %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "k", "-1", "+1", "1.5m", "1x", "1kb", "1 k", "0x10", "1_000", "9223372036854775808", "8388608t", "99999999999999999999g", "1\x4d\x00"} {
		if n, err := Parse(text); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %d, %v; want no size", text, n, err)
		}
	}
}
