package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/spawn"
)

const testKey = "forkexec"

// checkKind checks that err is of a kind, carries the method's key and has the
// text in it.
func checkKind(t *testing.T, err, kind error, text string) {
	t.Helper()
	var e *spawn.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %v with %q", err, kind, text)
		return
	}
	if e.Key != testKey {
		t.Errorf("the key is %q in: %v", e.Key, err)
	}
}

// matches reports whether e is what want stands for: a kind or an errno.
func matches(e *spawn.Error, want error) bool { return errors.Is(e, want) }
