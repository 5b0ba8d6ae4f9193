package proctree

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A Waiting is what some threads of a process are in.
type Waiting struct {
	State   byte
	Channel string // where in the kernel; "" when it does not say
	Call    string // the system call; "" when it does not say
	Threads int
}

// threads returns how many threads a process has, and what they wait in.
func threads(dir string) (n int, waits []Waiting) {
	d, err := os.Open(dir + "/task")
	if err != nil {
		return 0, nil
	}
	names, _ := d.Readdirnames(-1)
	d.Close()
	for _, tid := range names[:min(len(names), maxThreads)] {
		task := dir + "/task/" + tid
		w := Waiting{State: state(task), Channel: channel(task), Call: call(task)}
		i := slices.IndexFunc(waits, func(o Waiting) bool {
			return o.State == w.State && o.Channel == w.Channel && o.Call == w.Call
		})
		if i < 0 {
			i = len(waits)
			waits = append(waits, w)
		}
		waits[i].Threads++
	}
	slices.SortStableFunc(waits, func(a, b Waiting) int { return b.Threads - a.Threads })
	return len(names), waits
}

func state(task string) byte {
	b, err := os.ReadFile(task + "/stat")
	if err != nil {
		return '?'
	}
	_, rest, ok := strings.Cut(string(b[max(0, strings.LastIndexByte(string(b), ')')):]), ") ")
	if !ok || rest == "" {
		return '?'
	}
	return rest[0]
}

// channel is the function of the kernel that a thread sleeps in: "0" for one
// that runs, or of which the reader may not know.
func channel(task string) string {
	b, err := os.ReadFile(task + "/wchan")
	if err != nil || string(b) == "0" {
		return ""
	}
	return string(b)
}

// call is the system call that a thread is in.
func call(task string) string {
	b, err := os.ReadFile(task + "/syscall")
	if err != nil {
		return ""
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	number, err := strconv.Atoi(word)
	if err != nil || number < 0 {
		return "" // "running", or in the kernel for another reason
	}
	if name := linux.SyscallName(number); name != "" {
		return name
	}
	return "system call " + word
}
