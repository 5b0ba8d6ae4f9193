//go:build linux

package host_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

func TestCmdFace(t *testing.T) {
	h := open(t, host.Config{})
	var out, errOut bytes.Buffer
	cmd := h.Command("sh", "-c", "tr a-z A-Z; echo error >&2; exit 3")
	cmd.Stdin = strings.NewReader("some words")
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if err == nil || err.Error() != "exit status 3" || out.String() != "SOME WORDS" || errOut.String() != "error\n" {
		t.Errorf("%v, %q, %q", err, out.String(), errOut.String())
	}
	both, err := h.Command("sh", "-c", "echo 1; echo 2 >&2; echo 3").CombinedOutput()
	if err != nil || string(both) != "1\n2\n3\n" {
		t.Errorf("combined: %q, %v", both, err)
	}
}

func TestPipes(t *testing.T) {
	h := open(t, host.Config{})
	cmd := h.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "through")
	in.Close()
	got, err := io.ReadAll(out)
	if err != nil || string(got) != "through" {
		t.Errorf("%q, %v", got, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestStdinThatNeverEnds: os/exec would wait for the Reader.
func TestStdinThatNeverEnds(t *testing.T) {
	h := open(t, host.Config{})
	r, w := io.Pipe()
	defer w.Close()
	cmd := h.Command("true")
	cmd.Stdin = r
	begin := time.Now()
	if err := cmd.Run(); err != nil || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestGigabyte sends data through a child's own descriptors and compares sums.
func TestGigabyte(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() || raceEnabled {
		size = 64 << 20
	}
	h := open(t, host.Config{})
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer outR.Close()
	cmd := h.Command("cat")
	cmd.Stdin, cmd.Stdout = inR, outW
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	keeper := keeperOf(t)
	bystanders := slices.DeleteFunc(append(linux.Children(keeper), keeper), func(pid int) bool { return pid == cmd.Process.Pid() })
	before := useOf(t, bystanders)
	sum := make(chan []byte, 1)
	go func() {
		defer inW.Close()
		sent := sha256.New()
		io.Copy(io.MultiWriter(inW, sent), io.LimitReader(&pattern{}, size))
		sum <- sent.Sum(nil)
	}()
	received := sha256.New()
	n, err := io.Copy(received, outR)
	if err != nil || n != size {
		t.Errorf("%d bytes, %v; want %d", n, err, size)
	}
	if after := useOf(t, bystanders); after.ticks > before.ticks+10 || after.peak > before.peak+8<<10 {
		t.Errorf("keeper and plugin: %+v, before it %+v: want no use of processor and memory", after, before)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(<-sum, received.Sum(nil)) {
		t.Error("the sums differ")
	}
}

// use is what processes have used: processor time in ticks of 10 ms, and memory
// in KiB at its peak.
type use struct{ ticks, peak int }

func useOf(t *testing.T, pids []int) (u use) {
	t.Helper()
	if len(pids) != 2 {
		t.Fatalf("processes %v: want keeper and plugin", pids)
	}
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):]))
		user, _ := strconv.Atoi(fields[12])
		system, _ := strconv.Atoi(fields[13])
		u.ticks += user + system
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		kb, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		u.peak += kb
	}
	return u
}

// pattern is an endless Reader whose content depends on the place.
type pattern struct{ n uint64 }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.n ^ p.n>>8 ^ p.n>>16)
		p.n++
	}
	return len(b), nil
}

// TestReaderThatNeverReads: a child blocked on its output holds up nobody but
// itself, and can be stopped.
func TestReaderThatNeverReads(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Grace: 200 * time.Millisecond}})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := h.Command("cat", "/dev/zero")
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if out, err := h.Command("echo", "other").Output(); err != nil || string(out) != "other\n" {
		t.Errorf("another child: %q, %v", out, err)
	}
	begin := time.Now()
	if _, err := cmd.Process.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("stopping it took %v", d)
	}
	cmd.Wait()
}

// TestGrandchildHoldsThePipe is the shell that leaves a background job.
func TestGrandchildHoldsThePipe(t *testing.T) {
	h := open(t, host.Config{})
	begin := time.Now()
	out, err := h.Command("sh", "-c", "sleep 60 & echo hi").Output()
	if err != nil || string(out) != "hi\n" {
		t.Errorf("%q, %v", out, err)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
	cmd := h.Command("sh", "-c", "sleep 60 & echo hi")
	cmd.WaitDelay = 50 * time.Millisecond
	var buf bytes.Buffer
	cmd.Stdout = &buf
	if err := cmd.Run(); !errors.Is(err, exec.ErrWaitDelay) || buf.String() != "hi\n" {
		t.Errorf("with WaitDelay: %v, %q", err, buf.String())
	}
}

// TestDrainIsAnOption: it is how long a pipe that a grandchild holds is read. The
// grandchild goes on, and ends with the host.
func TestDrainIsAnOption(t *testing.T) {
	h := open(t, host.Config{Timeouts: host.Timeouts{Drain: 1500 * time.Millisecond, Grace: 100 * time.Millisecond}})
	begin := time.Now()
	out, err := h.Command("sh", "-c", "(sleep 0.3; echo late; exec sleep 60) & echo $!").Output()
	if d := time.Since(begin); err != nil || d < 1500*time.Millisecond || d > 15*time.Second {
		t.Errorf("%v after %v", err, d)
	}
	said, late := strings.CutSuffix(string(out), "\nlate\n")
	pid, err := strconv.Atoi(said)
	if !late || err != nil || !alive(pid) {
		t.Fatalf("output %q: want the pid of a process that runs, and what it said in time", out)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	gone(t, 2*time.Second, pid)
}

// slowWriter takes its time for every write.
type slowWriter struct{ n int }

func (w *slowWriter) Write(b []byte) (int, error) {
	<-time.After(300 * time.Millisecond)
	w.n += len(b)
	return len(b), nil
}

// TestSlowWriterGetsAll: what the child wrote before it ended is not cut off
// because the time for stragglers is over.
func TestSlowWriterGetsAll(t *testing.T) {
	h := open(t, host.Config{})
	cmd := h.Command("sh", "-c", "head -c 60000 /dev/zero; sleep 60 &")
	w := new(slowWriter)
	cmd.Stdout = w
	if err := cmd.Run(); err != nil || w.n != 60000 {
		t.Errorf("%d bytes, %v; want 60000", w.n, err)
	}
}
