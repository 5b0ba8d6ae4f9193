package seccomp

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const tableHead = `# The system calls of Linux: name, number on amd64, number on arm64.
# Names without a number are those of other architectures.
# Made by: go test ./internal/seccomp -run TestTable -update
`

// flags are the flags of these tests.
func flags() { flag.Bool("update", false, "write syscalls.txt anew") }

// TestTable holds syscalls.txt against the constants of golang.org/x/sys/unix,
// those of all architectures.
func TestTable(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil || len(bytes.TrimSpace(dir)) == 0 {
		t.Skip("needs the go command and golang.org/x/sys in the module cache: ", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_*.go"))
	if err != nil || len(files) < 10 {
		t.Fatalf("the constants are not where they were: %d files, %v", len(files), err)
	}
	want := make(map[string][columns]string)
	for _, name := range unnamed() {
		want[name] = [columns]string{"-", "-"}
	}
	for _, f := range files {
		arch := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "zsysnum_linux_"), ".go")
		for name, number := range constants(t, f) {
			n, ok := want[name]
			if !ok {
				n = [columns]string{"-", "-"}
			}
			if a := Arch(arch); a.audit() != 0 {
				n[a.column()] = number
			}
			want[name] = n
		}
	}
	text := tableHead
	for _, name := range slices.Sorted(maps.Keys(want)) {
		text += fmt.Sprintf("%s %s %s\n", name, want[name][0], want[name][1])
	}
	if update {
		if err := os.WriteFile("syscalls.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != syscallsText {
		t.Errorf("syscalls.txt is not what golang.org/x/sys has: run it with -update")
	}
}

// constants returns the names of the kernel and their numbers.
func constants(t *testing.T, path string) map[string]string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^\s*SYS_(\w+)\s*= (\d+)`).FindAllStringSubmatch(string(b), -1) {
		name := strings.ToLower(m[1])
		switch {
		case name == "syscall_mask", name == "arch_specific_syscall":
		case strings.HasPrefix(name, "reserved"), strings.HasPrefix(name, "unused"):
		case name == "sys_debug_setcontext":
			all["debug_setcontext"] = m[2]
		default:
			all[name] = m[2]
		}
	}
	return all
}

// unnamed are the calls that x/sys has no constants for: those that are private
// to ARM.
func unnamed() []string {
	return []string{"breakpoint", "get_tls", "set_tls", "usr26", "usr32"}
}

func TestNumber(t *testing.T) {
	tests := []struct {
		name   string
		on     Arch
		number int
		ok     bool
	}{
		{"read", AMD64, 0, true}, {"read", ARM64, 63, true},
		{"open", AMD64, 2, true}, {"open", ARM64, 0, false},
		{"clone3", AMD64, 435, true}, {"clone3", ARM64, 435, true},
		{"socketcall", AMD64, 0, false}, {"nonsense", AMD64, 0, false},
		{"read", "riscv64", 0, false},
	}
	for _, tt := range tests {
		if n, ok := Number(tt.name, tt.on); n != tt.number || ok != tt.ok {
			t.Errorf("Number(%q, %s) = %d, %v; want %d, %v", tt.name, tt.on, n, ok, tt.number, tt.ok)
		}
	}
	if !Known("socketcall") || Known("nonsense") {
		t.Error("socketcall exists elsewhere, nonsense nowhere")
	}
}
