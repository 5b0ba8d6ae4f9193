package keeper

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// TestRoomForThreads: what is found is the room for so many at once, not for one
// after the other, and nobody is left of those who were made to see.
func TestRoomForThreads(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("becomes a user that has nothing else")
	}
	h := helper(t, "room")
	for _, want := range []string{"little: ok\n", "enough: ok\n", "left: ok\n"} {
		if got := h.line(t); got != want {
			t.Fatalf("the helper says %q, want %q", got, want)
		}
	}
}

func roomHelper() {
	const user, wanted, most = ordinary + 1, 40, 12
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(user, user, user), syscall.Setresuid(user, user, user)); err != nil {
		fmt.Println(err)
		return
	}
	k := &keeper{table: newTable(), rooted: newRooted()}
	th, err := launch.NewThread()
	if err != nil {
		fmt.Println(err)
		return
	}
	warmThreads(8)
	go k.reap()
	say := func(what string, n int, ok bool) {
		if ok {
			fmt.Println(what + ": ok")
		} else {
			fmt.Println(what, n)
		}
	}
	limitProcesses(os.Getpid(), threads(os.Getpid())+most)
	n := k.table.room(th, wanted)
	limitProcesses(os.Getpid(), 10000)
	say("little", n, n > 0 && n <= most) // the runtime may have taken some
	n = k.table.room(th, wanted)
	say("enough", n, n == wanted)
	left := linux.Children(os.Getpid())
	say("left", len(left), len(left) == 0)
}
