//go:build unix

package wire_test

import (
	"bytes"
	"testing"
)

func TestStacks(t *testing.T) {
	c, _ := mustStart(t, "ok")
	text, err := c.Stacks(t.Context(), 64<<10)
	if err != nil || !bytes.HasPrefix(text, []byte("goroutine ")) || !bytes.Contains(text, []byte("wire.Serve(")) {
		t.Errorf("%v\n%s", err, text)
	}
	if text, err = c.Stacks(t.Context(), 100); err != nil || len(text) != 100 {
		t.Errorf("%d bytes, %v: want no more than was asked for", len(text), err)
	}
}
