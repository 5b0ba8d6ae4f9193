//go:build linux && failpoints

package faultsuite

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host/inspect"
	"github.com/hatchery-spawn/hatchery/internal/detached"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

const (
	// hostLimit is how long the life of a host may take in which everything
	// takes as long as it may.
	hostLimit = 90 * time.Second
	// goneLimit is when everything has to be gone after the host: a second
	// that orphans have to end by themselves, and some for a busy machine.
	goneLimit = 4 * time.Second
	// restTime is when nothing more is expected to go.
	restTime = 300 * time.Millisecond
	look     = 10 * time.Millisecond
)

// A watch is the subreaper above one host.
type watch struct {
	faultCase
	dir, program string

	host       *os.Process
	events     chan event // of children; closed when there are no processes left
	out        *os.File   // what the host says
	complaints []string
	survivors  []survivor
	records    records
	children   map[int]bool // of the host, by their pids
	searched   bool         // somebody has looked for what killed keepers have left
}

// An event is a child of the watch that has ended or stopped.
type event struct {
	pid    int
	status syscall.WaitStatus
}

// watchHelper is the process.
func watchHelper(args []string) int {
	w := &watch{dir: args[0], program: args[1], events: make(chan event, 100), records: records{}, children: map[int]bool{}}
	if err := json.Unmarshal([]byte(args[2]), &w.faultCase); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := w.start(args[2]); err != nil {
		fmt.Println(err)
		return 1
	}
	begin := time.Now()
	w.awaitHost()
	took := time.Since(begin)
	w.readChildren()
	rest := w.awaitAll()
	w.lookAround()
	said, _ := os.ReadFile(w.out.Name())
	for line := range strings.Lines(string(said)) {
		if !strings.HasPrefix(line, notes) {
			w.complain("the host says: %s", strings.TrimSuffix(line, "\n"))
		}
	}
	if len(w.complaints) == 0 {
		fmt.Printf("%sthe host took %v, all else was gone %v later, %d survivors, %d were recorded\n%s", notes, took.Round(time.Millisecond), rest.Round(time.Millisecond), len(w.survivors), len(w.records), said)
		return 0
	}
	fmt.Println(strings.Join(w.complaints, "\n"))
	return 1
}

func (w *watch) complain(format string, args ...any) {
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

// start makes this process a subreaper and starts the host.
func (w *watch) start(text string) error {
	if err := linux.BecomeSubreaper(); err != nil {
		return err
	}
	var err error
	if w.out, err = os.Create(filepath.Join(w.dir, "out")); err != nil {
		return err
	}
	run := filepath.Join(w.dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		return err
	}
	w.host, err = os.StartProcess(w.program, helperproc.Argv("host", text), &os.ProcAttr{
		Env: []string{"PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + run, "TMPDIR=" + w.dir, "GORACE=" + os.Getenv("GORACE"), lateVariable + "=" + os.Getenv(lateVariable)}, Files: []*os.File{nil, w.out, w.out},
	})
	if err != nil {
		return err
	}
	go w.reap()
	return nil
}

// reap reaps everything there is, until there is nothing.
func (w *watch) reap() {
	defer close(w.events)
	for {
		var e event
		var err error
		e.pid, err = syscall.Wait4(-1, &e.status, syscall.WUNTRACED, nil)
		switch err {
		case nil:
			w.events <- e
		case syscall.EINTR:
		default:
			return
		}
	}
}

// awaitHost waits for the end of the host. It continues or kills who has stopped
// itself.
func (w *watch) awaitHost() {
	late := time.NewTimer(hostLimit)
	defer late.Stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	notes := time.NewTicker(5 * look)
	defer notes.Stop()
	var wake <-chan time.Time
	stopped := 0
	for {
		select {
		case e, ok := <-w.events:
			switch {
			case !ok:
				w.complain("the host was not seen to end")
				return
			case e.pid == w.host.Pid && !e.status.Stopped():
				w.judgeEnd(e.status)
				return
			}
		case <-notes.C:
			w.records.read(filepath.Join(w.dir, "run"))
		case <-tick.C:
			if stopped == 0 && w.Rule.Action == failpoint.Stop && (w.Wake > 0 || w.process() == "host") {
				if stopped = failpoint.Fired(w.program, 0); stopped != 0 {
					wake = time.After(max(w.Wake, killTime))
				}
			}
		case <-wake:
			if w.Wake > 0 {
				syscall.Kill(stopped, syscall.SIGCONT)
			} else {
				syscall.Kill(stopped, syscall.SIGKILL)
			}
		case <-late.C:
			w.complain("the host has not ended after %v", hostLimit)
			syscall.Kill(w.host.Pid, syscall.SIGQUIT) // it says where it is
			wake = time.After(time.Second)
			stopped, w.Wake = w.host.Pid, 0
		}
	}
}

// childNote is what a line of the host begins with that has the pid of a child.
const childNote = notes + "child "

// readChildren reads which children the host has said that it has.
func (w *watch) readChildren() {
	said, _ := os.ReadFile(w.out.Name())
	for line := range strings.Lines(string(said)) {
		if number, ok := strings.CutPrefix(line, childNote); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(number))
			w.children[pid] = true
		}
	}
}

// judgeEnd judges how the host has ended.
func (w *watch) judgeEnd(s syscall.WaitStatus) {
	mayBeKilled := w.process() == "host" && (w.dies() || w.stopped()) || w.hostDiesLater()
	if killed := s.Signaled() && s.Signal() == syscall.SIGKILL; killed != mayBeKilled || !killed && s.ExitStatus() != 0 {
		w.complain("the host ended with %#x", s)
	}
}

// awaitAll waits until everything has ended that was below the host, and says
// who has not. These are killed then.
func (w *watch) awaitAll() time.Duration {
	begin := time.Now()
	tick := time.NewTicker(look)
	defer tick.Stop()
	w.searched = !w.bothDie() // the host has
	for {
		select {
		case _, more := <-w.events:
			if !more {
				return time.Since(begin)
			}
			continue
		case <-tick.C:
		}
		left := below(os.Getpid())
		over := time.Since(begin)
		if over > goneLimit || over > restTime && !slices.ContainsFunc(left, func(s survivor) bool { return !w.mayStay(s) }) && len(left) > 0 {
			if !w.searched {
				w.search()
				left = below(os.Getpid())
			}
			w.judgeSurvivors(left, over)
			return over
		}
	}
}

// judgeSurvivors complains of those who must not be there, and ends all.
func (w *watch) judgeSurvivors(left []survivor, over time.Duration) {
	w.survivors = left
	for _, s := range left {
		if !w.mayStay(s) {
			w.complain("%v after the host there is still process %d: %q in state %c", over.Round(time.Millisecond), s.pid, s.words, s.state)
		}
	}
	for range 100 { // they may have children
		for _, s := range below(os.Getpid()) {
			syscall.Kill(s.pid, syscall.SIGKILL)
		}
		select {
		case _, more := <-w.events:
			if !more {
				return
			}
		case <-time.After(look):
		}
	}
}

// mayStay reports whether a process may outlive the host: the descendants of
// children, not these themselves, are beyond reach once their keeper is gone, but for
// those that it has recorded. Those of a sandbox end with its process 1, which ends with
// the keeper.
func (w *watch) mayStay(s survivor) bool {
	return w.Method != isolate.Key && w.keeperDies() && s.has(descendants) && !w.children[s.pid] && !(w.searched && w.records.name(s.pid))
}

// keeperDies reports whether a keeper is killed.
func (w *watch) keeperDies() bool { return w.process() == "keeper" && w.dies() || w.bothDie() }

// hostDiesLater reports whether the host is killed after a keeper.
func (w *watch) hostDiesLater() bool {
	return w.bothDie() && strings.HasPrefix(string(w.Also[0].Point), "host.")
}

// bothDie reports whether host and keeper are killed.
func (w *watch) bothDie() bool { return len(w.Also) > 0 && w.Also[0].Action == failpoint.Kill }

// A survivor is a process that is still there.
type survivor struct {
	pid   int
	words []string
	files []string // the names of what it has open
	state byte
}

// has reports whether a process has a file of that name open.
func (s survivor) has(name string) bool { return slices.Contains(s.files, name) }

// below returns everything below a process but zombies.
func below(pid int) (all []survivor) {
	for _, c := range linux.Children(pid) {
		s, err := linux.ReadStat(c)
		if err != nil {
			continue
		}
		if s.State != 'Z' {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c))
			all = append(all, survivor{c, strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), openFiles(c), s.State})
		}
		all = append(all, below(c)...)
	}
	return all
}

// openFiles returns the base names of what a process has open.
func openFiles(pid int) (names []string) {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if to, err := os.Readlink(dir + e.Name()); err == nil {
			names = append(names, filepath.Base(strings.TrimSuffix(to, " (deleted)")))
		}
	}
	return names
}

// lookAround complains of what is there besides processes: folders, sockets,
// mounts, control groups. What nobody was there to remove is found by those who
// look for it.
func (w *watch) lookAround() {
	run := filepath.Join(w.dir, "run")
	w.collectDetached(run)
	if w.folderMayStay() {
		w.search()
	}
	filepath.WalkDir(run, func(path string, d os.DirEntry, err error) error {
		if path != run {
			w.complain("there is still %s", path)
		}
		return err
	})
	for _, file := range []string{"/proc/net/unix", "/proc/self/mountinfo"} {
		text, err := os.ReadFile(file)
		if err != nil {
			w.complain("%v", err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, w.dir+"/") {
				w.complain("there is still in %s: %s", file, strings.TrimSpace(line))
			}
		}
	}
	ours := regexp.MustCompile(fmt.Sprintf(`hatchery.*\b%d\b`, w.host.Pid))
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && ours.MatchString(d.Name()) {
			w.complain("there is still the control group %s", path)
		}
		return nil
	})
}

// search ends and removes what nobody was there to end and remove.
func (w *watch) search() {
	w.searched = true
	run := filepath.Join(w.dir, "run")
	os.Setenv("XDG_RUNTIME_DIR", run)
	folders, _ := filepath.Glob(run + "/hatchery/*")
	for _, f := range folders { // one that is new may be that of a host that is just starting
		old := time.Now().Add(-time.Minute)
		os.Chtimes(f, old, old)
	}
	if _, err := inspect.Reap(context.Background(), inspect.ReapConfig{}); err != nil {
		w.complain("reap: %v", err)
	}
}

// collectDetached looks at what a host has left to be adopted: a child that has
// ended as it should, and not two of them.
func (w *watch) collectDetached(run string) {
	os.Setenv("XDG_RUNTIME_DIR", run)
	list, unnamed := detached.List()
	list = slices.DeleteFunc(list, func(r detached.Record) bool { return !strings.HasPrefix(r.Dir, run) })
	if len(list) > 1 || len(list) > 0 && w.process() != "host" && !w.hostDiesLater() {
		w.complain("there are %d detached children", len(list))
	}
	for _, r := range list {
		if state, status, why := r.Look(); state != detached.Ended || status.Code != detachedCode {
			w.complain("the detached child: %s, %v: %s", state, status, why)
		}
		os.RemoveAll(r.Dir)
		os.Remove(filepath.Dir(r.Dir))
	}
	for _, dir := range unnamed {
		if strings.HasPrefix(dir, run) {
			w.complain("a detached child without a record: %s", dir)
		}
	}
}

// folderMayStay reports whether the runtime folder may be there: nobody but the
// host knew of it, or all who did were killed.
func (w *watch) folderMayStay() bool {
	if w.bothDie() {
		return true
	}
	switch w.Rule.Point {
	case failpoint.HostOpenFolder, failpoint.HostOpenStart:
		return w.dies() || w.stopped()
	}
	return false
}
