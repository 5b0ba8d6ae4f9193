// Package bytesize reads sizes as people write them in options: 65536, 64k, 64m, 1g.
//
//	n, err := bytesize.Parse("64m") // 67108864
//
// It promises to take nothing else, so that a letter too many is a mistake and no
// other size: there are no fractions, no signs and no spaces, and k is 1024.
package bytesize

import (
	"errors"
	"strconv"
	"strings"
)

// ErrSyntax is the error of a text that is no size.
var ErrSyntax = errors.New("no size: want bytes, as in 65536, 64k, 64m, 1g or 1t")

// Parse returns the number of bytes that a text stands for: a number, which may have
// one of the letters k, m, g and t behind it, large or small. They are powers of
// 1024. What does not fit into an int64 is an error, as is a sign.
func Parse(text string) (int64, error) {
	shift := 0
	if last := len(text) - 1; last > 0 {
		if n := strings.IndexByte("kmgt", text[last]|0x20); n >= 0 {
			text, shift = text[:last], 10*(n+1)
		}
	}
	n, err := strconv.ParseUint(text, 10, 63-shift)
	if err != nil {
		return 0, ErrSyntax
	}
	return int64(n << shift), nil
}
