package parent

import (
	"bytes"
	"fmt"
)

// tailSize is how much of an actor's standard error is kept, in bytes.
const tailSize = 16 << 10

// maxWords is how much of the last words is quoted, in bytes.
const maxWords = 400

// lastWords quotes the end of what a process wrote, for an error.
func lastWords(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxWords {
		b = b[len(b)-maxWords:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 && i < len(b)-1 {
			b = b[i+1:]
		}
	}
	return fmt.Sprintf(", its last words: %q", b)
}
