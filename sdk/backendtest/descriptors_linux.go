package backendtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

func descriptorCases() []Case {
	return []Case{{
		Name: "descriptors-null",
		Doc: "Of the descriptors 0, 1 and 2, what the Spec does not set is /dev/null, opened for reading or writing, and reads as empty: " +
			"nobody gets the host's by accident.",
		Needs: []Ability{Programs, Local},
		Run:   descriptorsNull,
	}, {
		Name: "descriptors-exact",
		Doc: "The child has exactly the descriptors of its Spec, each under its number and each what it was in the host, with a gap where " +
			"there is one; and nothing else, though the host has descriptors that are not close-on-exec.",
		Needs: []Ability{Programs, Local, Descriptors},
		Run:   descriptorsExact,
	}, {
		Name:  "descriptors-concurrent",
		Doc:   "The same for many children at once, while the host opens and closes others: 64, and 1000 in a heavy run.",
		Needs: []Ability{Programs, Local},
		Run:   descriptorsConcurrent,
	}}
}

func descriptorsNull(t T, e *Env) {
	script := `for n in 0 1 2; do [ /proc/$$/fd/$n -ef /dev/null ] || exit 1$n; done; read x && exit 20; echo x && echo y >&2 || exit 21; exit 7`
	if s := e.run(t, "a child without descriptors", sh(script)); s.Code != 7 {
		t.Errorf("a child without descriptors: %v (10 to 12: the one that is not /dev/null; 20: it could read; 21: it could not write)", s)
	}
}

// listing is a script that lists the descriptors of its shell. The shell waits
// for ls, which has those of its own.
const listing = "ls -l /proc/$$/fd; :"

// descriptors returns what the listing says: number and target.
func descriptors(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m) (\d+) -> (.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1]+" "+m[2])
	}
	return all
}

func descriptorsExact(t T, e *Env) {
	leaky, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0) // without O_CLOEXEC, which is the point
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer syscall.Close(leaky)
	late := e.Another(t) // its keeper and its plugin were started with the leak
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer zero.Close()
	for _, e := range []*Env{e, late} {
		l := newLeash(t)
		spec := sh(listing)
		spec.Files = []*os.File{zero, l.theirs, nil, nil, zero, nil, l.theirs, zero}
		st, err := l.theirs.Stat()
		if err != nil {
			t.Fatalf("%v", err)
		}
		pipe := pipeName(st)
		p := e.mustStart(t, "a child with descriptors", spec)
		got := descriptors(l.gone(t, "a child with descriptors"))
		await(t, p, "a child with descriptors")
		want := []string{"0 /dev/zero", "1 " + pipe, "2 /dev/null", "4 /dev/zero", "6 " + pipe, "7 /dev/zero"}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the child has\n%q, want\n%q", got, want)
		}
	}
}

// pipeName is how the kernel calls a pipe in /proc/PID/fd.
func pipeName(st fs.FileInfo) string {
	return fmt.Sprintf("pipe:[%d]", st.Sys().(*syscall.Stat_t).Ino)
}

func descriptorsConcurrent(t T, e *Env) {
	var over atomic.Bool
	var opening, starting sync.WaitGroup
	opening.Go(func() { // until the others are done
		for !over.Load() {
			if fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0); err == nil {
				syscall.Close(fd)
			}
		}
	})
	const callers = 16
	each := e.count(64, 1008) / callers
	for range callers {
		starting.Go(func() {
			for range each {
				e.onlyItsOwn(t)
			}
		})
	}
	starting.Wait()
	over.Store(true)
	opening.Wait()
}

// onlyItsOwn holds that a child with one descriptor has that and two /dev/null.
// It runs in goroutines, where Fatalf must not be called.
func (e *Env) onlyItsOwn(t T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Errorf("a pipe: %v", err)
		return
	}
	defer r.Close()
	spec := sh(listing)
	spec.Files = []*os.File{nil, w}
	p, err := e.Start(t.Context(), spec)
	st, serr := w.Stat()
	w.Close()
	if err := errors.Join(err, serr); err != nil {
		t.Errorf("one of many: %v", err)
		return
	}
	own := "1 " + pipeName(st)
	s, ok := awaitFor(t, p, patience)
	if !ok || !s.Success() {
		t.Errorf("one of many: %v, ended %v", s, ok)
		return
	}
	b := make([]byte, 16<<10) // the child has ended, and its few lines are in the pipe
	n, _ := r.Read(b)
	got := strings.Join(descriptors(string(b[:n])), ", ")
	if want := "0 /dev/null, " + own + ", 2 /dev/null"; got != want {
		t.Errorf("one of many has %s, want %s", got, want)
	}
}
