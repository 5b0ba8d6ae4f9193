package smoketest

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A task is what any Go program does all the time, and the state that a program
// is in.
type task struct {
	do     func() // the thing itself
	settle func() // waits until the program is in the state to be forked in
	quiet  func() // ends what the state costs
}

func nothing() {}

// tasks makes each task. Making one puts this process into its state.
func tasks() map[string]func() task {
	return map[string]func() task{"gc": gcTask, "goroutine": goroutineTask, "timer": timerTask, "idle": idleTask}
}

// idleTask is no task: what needs nothing of the runtime.
func idleTask() task { return task{do: nothing, settle: nothing, quiet: nothing} }

// gcTask allocates until memory has to be collected several times over, while
// another goroutine computes.
func gcTask() task {
	const pieces, size = 16 << 10, 1 << 10
	var turns, stop atomic.Int64
	go func() { // until quiet
		for stop.Load() == 0 {
			turns.Add(1)
		}
	}()
	return task{
		do: func() {
			var kept [64][]byte
			for i := range pieces {
				kept[i%len(kept)] = make([]byte, size)
			}
			runtime.KeepAlive(kept)
		},
		settle: func() {
			for at := turns.Load(); turns.Load() == at; {
				runtime.Gosched()
			}
		},
		quiet: func() { stop.Store(1) },
	}
}

// goroutineTask asks another goroutine, which has a thread of its own, and waits
// for its answer.
func goroutineTask() task {
	ask, answer := make(chan int), make(chan int)
	go func() { // as long as the process
		runtime.LockOSThread()
		for n := range ask {
			answer <- n
		}
	}()
	return task{do: func() { ask <- 1; <-answer }, settle: nothing, quiet: nothing}
}

// timerTask sleeps for a millisecond, while another thread waits for the network
// or, here, for a pipe.
func timerTask() task {
	r, w, err := os.Pipe()
	if err != nil {
		return idleTask()
	}
	go func() { // as long as the process
		var b [1]byte
		r.Read(b[:])
		runtime.KeepAlive(w)
	}()
	return task{do: func() { time.Sleep(time.Millisecond) }, settle: awaitPoller, quiet: nothing}
}

// awaitPoller waits until a thread of this process waits in epoll_wait(2). Where
// that cannot be seen it does not wait: the scenario tries several times.
func awaitPoller() {
	for range 2000 {
		for _, tid := range threads(os.Getpid()) {
			call, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(tid) + "/syscall")
			if err != nil {
				return
			}
			nr, _, _ := strings.Cut(string(call), " ")
			if nr == strconv.Itoa(syscall.SYS_EPOLL_PWAIT) {
				return
			}
		}
		runtime.Gosched()
	}
}
