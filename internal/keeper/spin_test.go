//go:build linux

package keeper

import "testing"

// TestPatience is not tried in vain for ever, and is soon back.
func TestPatience(t *testing.T) {
	var p patience
	tried := 0
	for range 1000 {
		if p.try() {
			tried++
			p.note(false)
		}
	}
	if tried < 1000>>(maxFailed+1) || tried > 1000>>(maxFailed-1) {
		t.Errorf("tried %d times of 1000, all in vain", tried)
	}
	for range 1 << maxFailed {
		if p.try() {
			p.note(true)
		}
	}
	for i := range 10 {
		if !p.try() {
			t.Errorf("not tried %d times after a success", i)
		}
		p.note(true)
	}
}
