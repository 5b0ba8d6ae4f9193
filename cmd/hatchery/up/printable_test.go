package up

import "testing"

func TestPrintable(t *testing.T) {
	const bad = "\ufffd"
	for text, want := range map[string]string{
		"plain, \t ünï 世界":           "plain, \t ünï 世界",
		"\x1b[1;31mred\x1b[0m\x1b[m": "\x1b[1;31mred\x1b[0m\x1b[m",
		"\x1b[38:5:9mred":            "\x1b[38:5:9mred",
		"\x1b[2Jgone":                bad + "[2Jgone",
		"\x1b]0;title\a":             bad + "]0;title" + bad,
		"\x1b[1;3":                   bad + "[1;3",
		"\x1b":                       bad,
		"a\rb\bc\x00":                "a" + bad + "b" + bad + "c" + bad,
		"\xff\xc3":                   bad + bad,
		"\u009b2J":                   bad + "2J",
	} {
		if got := string(printable([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestWholeCharacters(t *testing.T) {
	for text, want := range map[string]int{
		"":               0,
		"abc":            0,
		"abé":            0,
		"ab\xc3":         1,
		"a世"[:3]:         2,
		"😀"[:3]:          3,
		"\xc3":           1,
		"ab\xbf\xbf\xbf": 0,
		"ab\xff":         0,
	} {
		whole, rest := wholeCharacters([]byte(text))
		if len(rest) != want || string(whole)+string(rest) != text {
			t.Errorf("%q: got %q and %q, want %d bytes of rest", text, whole, rest, want)
		}
	}
}
