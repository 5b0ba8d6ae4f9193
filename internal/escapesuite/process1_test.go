//go:build linux && amd64

package escapesuite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestProcess1AtTheStart: the program gets at process 1 at no time, not even while
// that is on its way to be what it is. It is a program of a few instructions, which
// begins within microseconds.
func TestProcess1AtTheStart(t *testing.T) {
	h := openHost(t)
	s := &scene{TB: t}
	dir := s.folder()
	victim := s.victim()
	for name, pid := range map[string]string{"inside": "1", "control": victim} {
		if err := os.WriteFile(filepath.Join(dir, name), tinyelf.Program(grasp(pid)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if why := tracing(); why != "" {
		t.Log("no control: ", why)
	} else if got := exitCode(exec.Command(filepath.Join(dir, "control")).Run()); got != memoryCode {
		t.Errorf("the control ends with %d, want %d", got, memoryCode)
	}
	times := 100
	if *heavy {
		times = 5000
	}
	seen := map[int]int{}
	for range times {
		c := h.Command("/tmp/grasp")
		c.Dir, c.Spec.Options = "/", options([]string{"bind=" + filepath.Join(dir, "inside") + ":/tmp/grasp"})
		err := c.Run()
		var e *spawn.Error
		if errors.As(err, &e) {
			t.Fatal(err)
		}
		seen[c.ProcessState.Code]++
	}
	for code, what := range map[int]string{memoryCode: "opened its memory", traceCode: "traced it", programCode: "opened its program"} {
		if seen[code] > 0 {
			t.Errorf("%d of %d programs %s", seen[code], times, what)
		}
	}
	if seen[0] != times {
		t.Errorf("exit codes: %v", seen)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// What grasp exits with.
const (
	memoryCode  = 77
	traceCode   = 78
	programCode = 79
)

// grasp returns code that tries a few hundred times to open the memory of a process,
// to trace it, and to open its program, and exits when it has, or with 0.
func grasp(pid string) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	word := func(op []byte, v uint32) { b.Write(op); b.Write(le.AppendUint32(nil, v)) }
	var exits []int // where jumps to the end are
	try := func(code uint32) {
		b.Write([]byte{0x0f, 0x05, 0x85, 0xc0}) // syscall; test eax, eax
		word([]byte{0xbf}, code)                // mov edi, code
		word([]byte{0x0f, 0x89}, 0)             // jns exit
		exits = append(exits, b.Len())
	}
	var paths []int // where the addresses of the paths are
	open := func(flags, code uint32) {
		word([]byte{0xb8}, 2)             // mov eax, open
		word([]byte{0x48, 0x8d, 0x3d}, 0) // lea rdi, [rip+path]
		paths = append(paths, b.Len())
		word([]byte{0xbe}, flags)
		b.Write([]byte{0x31, 0xd2}) // xor edx, edx
		try(code)
	}
	word([]byte{0xbb}, 300) // mov ebx, 300
	loop := b.Len()
	open(uint32(os.O_RDWR), memoryCode)
	word([]byte{0xb8}, 101)    // mov eax, ptrace
	word([]byte{0xbf}, 0x4206) // PTRACE_SEIZE
	word([]byte{0xbe}, uint32(number(pid)))
	b.Write([]byte{0x31, 0xd2, 0x4d, 0x31, 0xd2}) // xor edx, edx; xor r10, r10
	try(traceCode)
	open(uint32(os.O_RDONLY), programCode)
	b.Write([]byte{0xff, 0xcb}) // dec ebx
	word([]byte{0x0f, 0x85}, uint32(loop-b.Len()-6))
	b.Write([]byte{0x31, 0xff}) // xor edi, edi
	exit := b.Len()
	word([]byte{0xb8}, 60)
	b.Write([]byte{0x0f, 0x05})
	code := b.Bytes()
	for _, at := range exits {
		le.PutUint32(code[at-4:], uint32(exit-at))
	}
	for i, name := range []string{"mem", "exe"} {
		le.PutUint32(code[paths[i]-4:], uint32(len(code)-paths[i]))
		code = append(code, strings.Join([]string{"/proc", pid, name}, "/")+"\x00"...)
	}
	return code
}
