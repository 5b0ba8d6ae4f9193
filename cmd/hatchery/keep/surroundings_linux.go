package keep

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/linux/startlimit"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Surroundings returns what tells the servers of a user apart: a digest of this
// executable, and of what a process passes on at a birth and cannot be passed along
// otherwise. The error is of kind spawn.ErrUnavailable where there is no /proc.
func Surroundings() (string, error) {
	h := sha256.New()
	var exe, root syscall.Stat_t
	if err := syscall.Stat("/proc/self/exe", &exe); err != nil {
		return "", &spawn.Error{Kind: spawn.ErrUnavailable, Op: Option, Path: "/proc/self/exe", Err: err}
	}
	syscall.Stat("/", &root)
	fmt.Fprintln(h, exe.Dev, exe.Ino, exe.Size, exe.Mtim, exe.Ctim, root.Dev, root.Ino)
	for _, name := range [...]string{"cgroup", "ipc", "mnt", "net", "pid_for_children", "time_for_children", "user", "uts"} {
		space, _ := os.Readlink("/proc/self/ns/" + name)
		fmt.Fprintln(h, space)
	}
	for _, name := range [...]string{"cgroup", "oom_score_adj", "attr/current", "personality", "coredump_filter", "loginuid", "sessionid"} {
		text, _ := os.ReadFile("/proc/self/" + name)
		fmt.Fprintf(h, "%d %s\n", len(text), text)
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
			"NoNewPrivs", "Seccomp", "Seccomp_filters", "Cpus_allowed", "Mems_allowed", "THP_enabled":
			fmt.Fprint(h, line)
		}
	}
	pid := os.Getpid()
	fmt.Fprintln(h, linux.SchedulingOf(pid), linux.Nice(pid))
	for _, l := range limits() {
		fmt.Fprintln(h, l.Hard)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// numLimits is RLIM_NLIMITS.
const numLimits = 16

// limits returns the resource limits of this process, that of open files as it was
// before the Go runtime raised it.
func limits() []spawn.Limit {
	list := make([]spawn.Limit, numLimits)
	for i := range list {
		var l syscall.Rlimit
		syscall.Getrlimit(i, &l)
		if soft, hard, ok := startlimit.Files(); i == syscall.RLIMIT_NOFILE && ok && l.Max == hard {
			l.Cur = soft
		}
		list[i] = spawn.Limit{Resource: i, Soft: l.Cur, Hard: l.Max}
	}
	return list
}

// umask returns that of this process. Umask in proc(5), Linux 4.7.
func umask() (*uint32, error) {
	status, err := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "Umask:"); ok {
			mask, err := strconv.ParseUint(strings.TrimSpace(text), 8, 32)
			m := uint32(mask)
			return &m, err
		}
	}
	return nil, errors.Join(err, errors.New("/proc/self/status does not say the umask"))
}
