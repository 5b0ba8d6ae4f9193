package host_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
)

func TestSocketFolder(t *testing.T) {
	h, err := host.Open(host.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var dir string
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		if dir, err = n.SocketFolder(); err != nil {
			return err
		}
		if again, err := n.SocketFolder(); again != dir || err != nil {
			t.Errorf("the second time it is %q, %v", again, err)
		}
		if st, err := os.Stat(dir); err != nil || st.Mode() != fs.ModeDir|0o700 || len(dir) > 64 {
			t.Errorf("%q is %v, %v", dir, st, err)
		}
		return os.WriteFile(filepath.Join(dir, "left"), nil, 0o600)
	})
	if err := errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}
