package leakcheck

import (
	"runtime"
	"strings"
)

// addGoroutines adds every goroutine but the calling one. Their numbers are
// never used again.
func (inv inventory) addGoroutines() {
	all := strings.Split(stacks(), "\n\n")
	for _, stack := range all[1:] { // the first is the caller's
		stack = strings.TrimSpace(stack)
		id, _, ok := strings.Cut(stack, " [")
		if ok && !ofTheSystem(stack) {
			inv[id] = stack
		}
	}
}

// ofTheSystem reports whether the runtime or the testing package keeps the
// goroutine: the one that hands out signals lives as long as the process, and
// those of other tests are waiting for this one.
func ofTheSystem(stack string) bool {
	for _, mark := range []string{
		"\ncreated by os/signal.",
		"\ncreated by testing.",
		"\ncreated by runtime.",
	} {
		if strings.Contains(stack, mark) {
			return true
		}
	}
	return false
}

// stacks returns the stacks of all goroutines, however long they are.
func stacks() string {
	for buf := make([]byte, 64<<10); ; buf = make([]byte, 2*len(buf)) {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return string(buf[:n])
		}
	}
}
