//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

type told struct {
	path string
	err  error
}

func TestDumpOnHang(t *testing.T) {
	h := open(t, host.Config{})
	dir := t.TempDir()
	p := ready(t, h, `echo; while :; do sleep 10; done`)
	defer p.Kill()
	tell := make(chan told, 10)
	goesOn := make(chan struct{})
	stop := h.DumpOnHang(50*time.Millisecond, host.HangDump{Dir: dir, OnDump: func(path string, err error) { tell <- told{path, err} }})
	go func() { p.Wait(); close(goesOn) }()
	got := <-tell
	if got.err != nil {
		t.Fatal(got.err)
	}
	p.Kill()
	<-goesOn // the block was not disturbed
	stop()
	stop()
	st, err := os.Stat(got.path)
	if err != nil || st.Mode() != 0o600 || filepath.Dir(got.path) != dir {
		t.Errorf("the file: %v, %v", st, err)
	}
	b, err := os.ReadFile(got.path)
	if err != nil {
		t.Fatal(err)
	}
	says(t, string(b), "\n  wait  ", "no deadline, method forkexec, process ", "host.(*Process).Wait", "sleep 10", "== end of the dump\n")
	if files, _ := os.ReadDir(dir); len(files) != 1 || len(tell) != 0 {
		t.Errorf("%d files, and %d more told of: want one dump", len(files), len(tell))
	}
}

func TestDumpOnHangOfAQuickBlock(t *testing.T) {
	h := open(t, host.Config{})
	dir := t.TempDir()
	for range 100 {
		h.DumpOnHang(time.Hour, host.HangDump{Dir: dir, OnDump: func(path string, err error) { t.Error(path, err) }})()
	}
	if files, err := os.ReadDir(dir); len(files) != 0 || err != nil {
		t.Errorf("files: %v, %v", files, err)
	}
}

func TestDumpOnHangWithoutAFolder(t *testing.T) {
	h := open(t, host.Config{})
	tell := make(chan told, 1)
	stop := h.DumpOnHang(time.Millisecond, host.HangDump{Dir: t.TempDir() + "/none", OnDump: func(path string, err error) { tell <- told{path, err} }})
	if got := <-tell; got.path != "" || !errors.Is(got.err, fs.ErrNotExist) {
		t.Errorf("told of %+v", got)
	}
	stop()
}

// hangHelper hangs with its standard error closed, and a plugin.
func hangHelper(args []string) int {
	syscall.Close(2)
	h, err := host.Open(host.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer h.Close()
	path := ""
	dumped := make(chan struct{})
	stop := h.DumpOnHang(300*time.Millisecond, host.HangDump{Dir: args[0], OnDump: func(p string, err error) {
		if path = p; err != nil {
			fmt.Println(err)
		}
		close(dumped)
	}})
	p, err := h.Start(context.Background(), sh("read x"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	<-dumped // it would hang here for ever otherwise
	p.Kill()
	p.Wait()
	stop()
	fmt.Println(path)
	return 0
}

func TestDumpWithStandardErrorClosed(t *testing.T) {
	out := strings.TrimSpace(helperOutput(t, "hang", t.TempDir()))
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err, out)
	}
	says(t, string(b), "hatchery-plugin forkexec", "== end of the dump\n")
}
