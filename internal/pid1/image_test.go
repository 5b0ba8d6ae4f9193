//go:build linux && (amd64 || arm64)

package pid1

import "testing"

// TestImageIsSmall: what it does is shown where it is used, in internal/launch.
func TestImageIsSmall(t *testing.T) {
	b := Image()
	if len(b) < 200 || len(b) > 1024 || string(b[:4]) != "\x7fELF" {
		t.Errorf("%d bytes, which begin with %q", len(b), b[:min(4, len(b))])
	}
	t.Logf("%d bytes", len(b))
}

func TestDecode(t *testing.T) {
	if _, err := Decode(make([]byte, RecordSize-1)); err == nil {
		t.Error("a cut record was taken")
	}
	b := make([]byte, RecordSize)
	b[1], b[8] = 7, 9
	if r, err := Decode(b); err != nil || r.Status.ExitStatus() != 7 || r.Rusage.Utime.Sec != 9 {
		t.Errorf("%+v, %v", r, err)
	}
}
