//go:build linux

package escapesuite

import (
	"encoding/hex"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func bytesOf(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

// A question is a system call with arguments that the kernel refuses, by one of
// some errors, once it has got there.
type question struct {
	name, what string
	number     uintptr
	args       []uintptr
	reached    []syscall.Errno // the kernel's own errors
	needs      func() string   // of a kernel that judges the user before the arguments
}

const bad = ^uintptr(0)

// onKernel are the attempts on the kernel: calls that an ordinary program has no
// need of.
func onKernel() []attempt {
	var all []attempt
	for _, q := range questions() {
		a := attempt{
			name: q.name, what: q.what, stops: []layer{filterLayer}, filtered: true, asked: true, needs: q.needs, want: []syscall.Errno{syscall.EPERM},
			try: func([]string) error { return reached(call(q.number, q.args...), q.reached...) },
		}
		if q.needs != nil { // rights outside of namespaces, most of them
			a.plain = true
		}
		all = append(all, a)
	}
	return all
}

func questions() []question {
	badPointer, badNumber, badDescriptor := []syscall.Errno{syscall.EFAULT}, []syscall.Errno{syscall.EINVAL, syscall.EFAULT}, []syscall.Errno{syscall.EBADF}
	return []question{
		{"keyctl", "ask for the session keyring", unix.SYS_KEYCTL, []uintptr{unix.KEYCTL_GET_KEYRING_ID, ^uintptr(2), 0}, []syscall.Errno{syscall.ENOKEY}, nil},
		{"add-key", "add a key", unix.SYS_ADD_KEY, []uintptr{0, 0}, badPointer, nil},
		{"request-key", "have a key made by a helper of root's", unix.SYS_REQUEST_KEY, []uintptr{0, 0}, badPointer, nil},
		{"bpf", "load a program into the kernel", unix.SYS_BPF, []uintptr{999, 0, 0}, badNumber, nil},
		{"perf-event-open", "count what others do", unix.SYS_PERF_EVENT_OPEN, []uintptr{0, 0, bad, bad, 0}, badPointer, nil},
		{"userfaultfd", "stop the kernel where it reads memory", unix.SYS_USERFAULTFD, []uintptr{0xf1}, badNumber, nil},
		{"io-uring", "have system calls made without a filter", unix.SYS_IO_URING_SETUP, []uintptr{1, 0}, badPointer, sysctl("kernel/io_uring_disabled", "0")},
		{"kexec", "start another kernel", unix.SYS_KEXEC_LOAD, []uintptr{0, 1000, 0, 0xff00}, badNumber, rootWith(unix.CAP_SYS_BOOT)},
		{"load-module", "load a module, of a descriptor that is none", unix.SYS_FINIT_MODULE, []uintptr{bad, 0, 0}, append(badDescriptor, badPointer...), rootWith(unix.CAP_SYS_MODULE)},
		{"unload-module", "take a module out, of a name that is none", unix.SYS_DELETE_MODULE, []uintptr{0, unix.O_NONBLOCK}, badPointer, rootWith(unix.CAP_SYS_MODULE)},
		{"clock-settime", "set the clock, from an address that is none", unix.SYS_CLOCK_SETTIME, []uintptr{0, 1}, badPointer, nil},
		{"adjust-clock", "change its pace, from an address that is none", unix.SYS_CLOCK_ADJTIME, []uintptr{0, 1}, badPointer, nil},
		{"reboot", "restart the machine, without the numbers that takes", unix.SYS_REBOOT, []uintptr{1, 2, 3, 0}, badNumber, rootWith(unix.CAP_SYS_BOOT)},
		{"swapoff", "switch swapping off, of a name that is none", unix.SYS_SWAPOFF, []uintptr{1}, badPointer, rootWith(unix.CAP_SYS_ADMIN)},
		{"process-accounting", "have all ends of processes written down, at an address that is none", unix.SYS_ACCT, []uintptr{1}, badPointer, rootWith(unix.CAP_SYS_PACCT)},
		{"kernel-log", "read the kernel's messages", unix.SYS_SYSLOG, []uintptr{10, 0, 0}, nil, rootWith(unix.CAP_SYSLOG)},
		{"quotactl", "read others' quotas", unix.SYS_QUOTACTL, []uintptr{0xffffff00, 1, 0, 0}, append(badPointer, syscall.EINVAL, syscall.ENOSYS), nil},
		{"watch-all-files", "be told of what others open", unix.SYS_FANOTIFY_INIT, []uintptr{0x80000200, 0}, badNumber, nil},
		{"memory-of-others", "read another's memory", unix.SYS_PROCESS_VM_READV, []uintptr{1, 0, 0, 0, 0, 1}, badNumber, nil},
		{"descriptors-of-others", "take another's descriptor", unix.SYS_PIDFD_GETFD, []uintptr{bad, 0, 0}, badDescriptor, nil},
		{"move-pages", "move another's memory", unix.SYS_MOVE_PAGES, []uintptr{0, 0, 0, 0, 0, 1}, badNumber, nil},
		{"own-mount", "copy a tree of mounts", unix.SYS_OPEN_TREE, []uintptr{bad, 1, 0}, badPointer, nil},
		{"executable-personality", "make all memory executable", unix.SYS_PERSONALITY, []uintptr{0x400000}, nil, nil},
		{"type-into-terminal", "type into a terminal for its owner (TIOCSTI)", unix.SYS_IOCTL, []uintptr{bad, unix.TIOCSTI}, badDescriptor, nil},
		{"type-with-high-bits", "the same with bits that the kernel ignores", unix.SYS_IOCTL, []uintptr{bad, 1<<32 | unix.TIOCSTI}, badDescriptor, nil},
		{"paste-into-console", "paste into the console (TIOCLINUX)", unix.SYS_IOCTL, []uintptr{bad, 0x541c}, badDescriptor, nil},
		{"line-discipline", "have a line discipline loaded (TIOCSETD)", unix.SYS_IOCTL, []uintptr{bad, 0x5423}, badDescriptor, nil},
	}
}

// sysctl is for what a setting of the kernel's may forbid.
func sysctl(name, want string) func() string {
	return func() string {
		b, err := os.ReadFile("/proc/sys/" + name)
		if got := strings.TrimSpace(string(b)); err == nil && got != want {
			return name + " is " + got
		}
		return ""
	}
}

// TestKernelInEachProfile asks all questions in the sandboxes in which they are not
// asked one by one: the filter is the same.
func TestKernelInEachProfile(t *testing.T) {
	h := openHost(t)
	for _, box := range (attempt{}).boxes(t) {
		s := &scene{TB: t}
		said := strings.Fields(s.run(h, attempt{name: everyQuestion}, box))
		for i, a := range onKernel() {
			if len(said) != len(onKernel()) {
				t.Fatalf("%s: %d answers", box.name, len(said))
			}
			if said[i] != "EPERM" {
				t.Errorf("%s: %s: %s", box.name, a.name, said[i])
			}
		}
	}
}

// everyQuestion is an attempt that makes all of onKernel.
const everyQuestion = "every-question"
