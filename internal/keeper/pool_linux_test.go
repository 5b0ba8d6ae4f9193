package keeper

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// parkable is a jailed child that can be parked, behind some more steps. flags are
// those of more namespaces.
func parkable(t *testing.T, script string, flags uint64, steps []spawn.Step, files ...*os.File) *Launch {
	l := jailed(t, script, files...)
	p := new(spawn.Plan)
	if err := p.UnmarshalBinary(l.Plan); err != nil {
		t.Fatal(err)
	}
	p.Steps[0] = spawn.Clone(syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | flags)
	at := slices.IndexFunc(p.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpInit }) + 1
	p.Steps = slices.Insert(p.Steps, at, append(steps, spawn.Park())...)
	l.Plan = encode(t, p)
	return l
}

// parked returns how many parked children a keeper has.
func parked(t *testing.T, c *Client) (n int) {
	t.Helper()
	text, err := c.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, rest, ok := strings.Cut(text, ", parked "); ok {
		fmt.Sscan(rest, &n)
	}
	return n
}

// awaitParked waits until the keeper has a number of them, or for some time.
func awaitParked(t *testing.T, c *Client, want int) bool {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
		if parked(t, c) == want {
			return true
		}
	}
	return false
}

// output launches a child and returns what it says.
func output(t *testing.T, c *Client, launch func(w *os.File) *Launch) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := launchIt(t, c, launch(w))
	w.Close()
	if st := s.wait(t, 20*time.Second); !st.Success() {
		t.Fatal(st)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), s.Pid
}

// TestPool: from the third on children that come one after the other are what was there
// before, each a new one, with what is asked for now, and what nobody wants ends.
func TestPool(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	seen, hits := map[int]bool{}, 0
	old := syscall.Umask(0o22)
	defer syscall.Umask(old)
	for i := range 20 {
		if i > 2 {
			for end := time.Now().Add(poolTime); parked(t, c) == 0 && time.Now().Before(end); <-time.After(time.Millisecond) {
			}
		}
		before := linux.Children(c.Pid())
		syscall.Umask(i)
		said, pid := output(t, c, func(w *os.File) *Launch {
			return parkable(t, "umask; sleep 100 >&- 2>&- & exit 0", syscall.CLONE_NEWNET, []spawn.Step{spawn.LinkUp("lo")}, w, w)
		})
		if want := fmt.Sprintf("%04o", i); said != want {
			t.Errorf("its umask is %s, want %s", said, want)
		}
		if seen[pid] {
			t.Errorf("process %d was another child's", pid)
		}
		seen[pid] = true
		if slices.Contains(before, pid) {
			hits++
		}
	}
	if hits < 5 { // one may be made, or end, after the look
		t.Errorf("%d of 20 children were parked before", hits)
	}
	if n := parked(t, c); n > poolSize {
		t.Errorf("%d are parked", n)
	}
	if !awaitParked(t, c, 0) {
		t.Error("what nobody wants is still parked")
	}
	if !within(20*time.Second, func() bool { return len(linux.Children(c.Pid())) == 0 }) {
		t.Errorf("the keeper has children %v", linux.Children(c.Pid()))
	}
	if !within(20*time.Second, func() bool { return len(namespaces(c)) == 0 }) {
		t.Errorf("the keeper holds %v", namespaces(c))
	}
}

// namespaces returns the namespaces that a keeper holds.
func namespaces(c *Client) (names []string) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.Pid()))
	for _, file := range files {
		name, _ := os.Readlink(file)
		if kind, _, ok := strings.Cut(name, ":["); ok && slices.Contains([]string{"mnt", "net", "ipc"}, kind) {
			names = append(names, name)
		}
	}
	return names
}

// TestPoolOfMany: so it is with many at a time, and nobody is told of a process
// that was none of his.
func TestPoolOfMany(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	l := parkable(t, "exit 0", 0, nil, null)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				ended := make(chan Exit, 1)
				s, err := c.Launch(t.Context(), l, func(e Exit) { ended <- e })
				if err != nil {
					t.Error(err)
					return
				}
				if e := <-ended; !e.Status.Success() || e.Left {
					t.Errorf("%+v", e)
				}
				syscall.Close(s.Pidfd)
			}
		})
	}
	all.Wait()
	if !awaitParked(t, c, 0) {
		t.Error("what nobody wants is still parked")
	}
}

// fill launches children of one kind until some are parked.
func fill(t *testing.T, c *Client, launch func(w *os.File) *Launch) {
	t.Helper()
	for range 50 {
		output(t, c, launch)
		for range 200 {
			if parked(t, c) > 0 {
				return
			}
			<-time.After(time.Millisecond)
		}
	}
	t.Fatal("nothing is parked")
}

// TestPoolOfPlaces: a child has what is at a path when it is launched, and not what was
// there before.
func TestPoolOfPlaces(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	dir := t.TempDir()
	place, target := filepath.Join(dir, "place"), filepath.Join(dir, "target")
	os.Mkdir(target, 0o755)
	os.Chmod(dir, 0o755)
	renew := func(text string) {
		os.Rename(place, filepath.Join(dir, "was-before-"+text))
		os.Mkdir(place, 0o755)
		if err := os.WriteFile(filepath.Join(place, "text"), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	launch := func(w *os.File) *Launch {
		const clone = 1 // OPEN_TREE_CLONE
		l := parkable(t, "cat "+target+"/text", syscall.CLONE_NEWNS, nil, w, w)
		p := new(spawn.Plan)
		if err := p.UnmarshalBinary(l.Plan); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(p.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpInit })
		p.Steps = slices.Insert(p.Steps, at,
			spawn.OpenTree(spawn.CWD(), spawn.Str(place), clone),
			spawn.MoveMount(spawn.Result(at), spawn.CWD(), spawn.Str(target), 0))
		l.Plan = encode(t, p)
		return l
	}
	renew("zero")
	for i := range 5 {
		fill(t, c, launch)
		want := fmt.Sprint("text ", i)
		renew(want)
		if got, _ := output(t, c, launch); got != want {
			t.Errorf("it reads %q, want %q", got, want)
		}
	}
}

// mountsHelper is a host in a mount namespace of its own, whose mounts change.
func mountsHelper() {
	t := &testing.T{}
	c, err := Start(Config{})
	if err != nil {
		panic(err)
	}
	dir := os.Getenv("KEEPER_TEST_FOLDER")
	launch := func(w *os.File) *Launch {
		return parkable(t, "cat "+dir+"/text || echo none", syscall.CLONE_NEWNS, nil, w)
	}
	run := func() string {
		r, w, _ := os.Pipe()
		defer r.Close()
		ended := make(chan Exit, 1)
		l := launch(w)
		l.Files = []int{1}
		s, err := c.Launch(context.Background(), l, func(e Exit) { ended <- e })
		if err != nil {
			panic(err)
		}
		w.Close()
		<-ended
		syscall.Close(s.Pidfd)
		line, _ := bufio.NewReader(r).ReadString('\n')
		return line
	}
	there := func() bool {
		text, _ := c.Describe(context.Background())
		return strings.Contains(text, ", parked ")
	}
	for range 3 {
		seen := false // once: a table that is locked is not described
		for tries := 0; tries < 50 && !seen; tries++ {
			run()
			for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end) && !seen; seen = there() {
				<-time.After(time.Millisecond)
			}
		}
		fmt.Print(seen, " ")
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
			panic(err)
		}
		os.WriteFile(dir+"/text", []byte("mounted\n"), 0o644)
		fmt.Print(strings.TrimSpace(run()), " ")
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			panic(err)
		}
		fmt.Println(strings.TrimSpace(run()))
	}
	c.Close(0, 5*time.Second)
}

// TestPoolOfMounts: a child has the host's mounts as they are when it is launched.
func TestPoolOfMounts(t *testing.T) {
	needsPidNamespaces(t, newClient(t))
	h := helperWith(t, "mounts", &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	})
	for range 3 {
		if got, want := h.line(t), "true mounted none\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPoolEnds: what is parked ends with its keeper, however that ends, and by itself
// if somebody kills it.
func TestPoolEnds(t *testing.T) {
	needsPidNamespaces(t, newClient(t))
	launch := func(w *os.File) *Launch { return parkable(t, "echo", 0, nil, w, w) }
	for name, end := range map[string]func(c *Client){
		"closed": func(c *Client) { c.Close(10*time.Second, 5*time.Second) },
		"killed": func(c *Client) { syscall.Kill(c.Pid(), syscall.SIGKILL) },
	} {
		c := newClient(t)
		fill(t, c, launch)
		below := linux.Children(c.Pid())
		for _, pid := range slices.Clone(below) {
			below = append(below, linux.Children(pid)...)
		}
		if len(below) < 2 {
			t.Fatalf("%s: the keeper has %v below it", name, below)
		}
		begin := time.Now()
		end(c)
		if took := time.Since(begin); took > 5*time.Second { // half of the grace
			t.Errorf("%s: it took %v", name, took)
		}
		gone(t, 10*time.Second, below...)
	}
	c := newClient(t)
	fill(t, c, launch)
	for _, pid := range linux.Children(c.Pid()) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if !awaitParked(t, c, 0) {
		t.Error("what was killed is still parked")
	}
	for range 4 {
		output(t, c, launch)
	}
}
