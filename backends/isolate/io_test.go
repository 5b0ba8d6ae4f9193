package isolate_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestIOLimit: what is written to a disk at half a megabyte a second takes its time.
// Where there is no such limit there is no child.
func TestIOLimit(t *testing.T) {
	h := openHost(t)
	dir, err := os.MkdirTemp("", "hatchery io:*") // with a colon
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := strings.ReplaceAll(dir, ":", `\:`)
	const script = `cd "$1" && dd if=/dev/zero of=x bs=64k count=8 oflag=direct 2>/dev/null && echo written`
	c := shell(h, script, "bind="+path+":rw", "io="+path+":wbps=512k,riops=1000000")
	c.Args = append(c.Args, "sh", dir)
	begin := time.Now()
	out, err := c.Output()
	took := time.Since(begin)
	switch {
	case errors.Is(err, spawn.ErrUnavailable) && strings.Contains(err.Error(), "best_effort=io"):
		c := shell(h, "echo without", "io=/:wbps=512k", "best_effort=io")
		if out, err := c.Output(); err != nil || string(out) != "without\n" {
			t.Errorf("with best_effort=io: %v, %q", err, out)
		}
		t.Skip(err)
	case errors.Is(err, spawn.ErrBadOption) && strings.Contains(err.Error(), "is on no disk"):
		t.Skip(err)
	case err != nil && len(out) == 0:
		t.Skip("dd cannot write past the cache here: ", err)
	case err != nil || string(out) != "written\n":
		t.Fatalf("%v, %q", err, out)
	}
	if took < 500*time.Millisecond { // a second; the kernel lets the first tenth of one through
		t.Errorf("half a megabyte was written in %v, at half a megabyte a second", took)
	}
}

func TestIOLimitOfNoDisk(t *testing.T) {
	h := openHost(t)
	for opt, want := range map[string]string{"io=/nowhere:rbps=1": "/nowhere", "io=/proc:rbps=1": "is on no disk"} {
		err := shell(h, "echo it ran", opt).Run()
		if errors.Is(err, spawn.ErrUnavailable) {
			t.Skip(err)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(opt, "proc") && !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("%s: %v; want %q", opt, err, want)
		}
	}
}
