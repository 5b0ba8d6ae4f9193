package registry_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/registry"
)

func TestPinOfIsParsed(t *testing.T) {
	pin := registry.PinOf(sha256.Sum256([]byte("abc")))
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := registry.ParsePin(string(pin)); err != nil || got != want || pin != want {
		t.Errorf("got %s, %s, %v; want %s", pin, got, err, want)
	}
}

func TestParsePinRefuses(t *testing.T) {
	digits := strings.Repeat("0", 63)
	for _, c := range []struct{ pin, want string }{
		{"", "want sha256: and 64"},
		{"md5:" + digits + "0", "want sha256: and 64"},
		{"sha256:" + digits, "has 63 digits"},
		{"sha256:" + digits + "00", "has 65 digits"},
		{"sha256:" + digits + "A", "something else than 0-9 and a-f"},
		{"sha256:" + digits[:31] + "x" + digits[31:], "something else than 0-9 and a-f"},
		{"sha256:" + digits + " ", "something else"},
	} {
		if pin, err := registry.ParsePin(c.pin); err == nil || pin != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %q, %v; want an error that says %q", c.pin, pin, err, c.want)
		}
	}
}

func TestEntryPins(t *testing.T) {
	pin := registry.PinOf([32]byte{})
	for _, c := range []struct {
		name  string
		entry registry.Entry
		want  string // in the error; empty: none
	}{
		{"of a binary", registry.Entry{Key: "x", Path: "/x", Pin: pin, PinnedBy: "here"}, ""},
		{"malformed", registry.Entry{Key: "x", Path: "/x", Pin: "sha256:0"}, "spawn method x: checksum"},
		{"of a function", registry.Entry{Key: "x", Serve: func() int { return 0 }, Pin: pin}, "a built-in method cannot be pinned"},
		{"by without pin", registry.Entry{Key: "x", Path: "/x", PinnedBy: "here"}, "PinnedBy (here) without a Pin"},
	} {
		_, err := registry.New(c.entry)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
