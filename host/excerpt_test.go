package host

import (
	"strings"
	"testing"
)

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a line of the log\n", 1000)
	stacks := "\n\ngoroutine 1 [running]:\n" + strings.Repeat("main.f()\n\t/src/main.go:17 +0x25\n", 1000)
	tests := []struct{ name, in, begins, ends string }{
		{"nothing", "", "", ""},
		{"blank", "\n\n", "", ""},
		{"short", "one\ntwo\n", "one", "two"},
		{"the end of much", long + "the end\n", "…a line of the log\n", "the end"},
		{"one long line", strings.Repeat("x", 5000), "…xxx", "xxx"},
		{"a crash", long + "panic: boom" + stacks, "panic: boom\n", "…"},
		{"a crash at the beginning", "fatal error: all goroutines are asleep" + stacks, "fatal error: all", "…"},
		{"a crash in the middle of a line", long + "half a lipanic: boom" + stacks, "panic: boom\n", "…"},
		{"a short crash behind much", long + "panic: boom\n\ngoroutine 1 [running]:\nmain.f()\n", "panic: boom\n", "main.f()"},
		{"the last of two crashes", "panic: first" + stacks + "panic: second" + stacks, "panic: second\n", "…"},
		{"the word in a line", long + "recovered from panic: boom\n" + long, "…a line", "a line of the log"},
		{"what a terminal obeys", "\x1b[2Jred\xff\a\r\u009b1m", "\ufffd[2Jred\ufffd\ufffd", "\ufffd1m"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := excerpt([]byte(test.in))
			if !strings.HasPrefix(got, test.begins) || !strings.HasSuffix(got, test.ends) || test.begins == "" && got != "" {
				t.Errorf("got %.60q … %q, want %q … %q", got, got[max(0, len(got)-30):], test.begins, test.ends)
			}
			if len(got) > shownSize+2*len("…") {
				t.Errorf("%d bytes", len(got))
			}
		})
	}
}
