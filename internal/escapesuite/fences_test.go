//go:build linux

package escapesuite

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// onFences are the attempts on what only options make: rules of Landlock, and clocks.
func onFences() []attempt {
	fence := []layer{landlockLayer}
	return []attempt{
		{
			name: "landlock-file", what: "read a file that is in sight, and that no rule allows", stops: fence, needs: landlock(1), hostProfile: true, want: []syscall.Errno{syscall.EACCES},
			scene: func(s *scene) {
				s.args = []string{s.bound()}
				s.opts = append(s.opts, "landlock=exec:"+inside, "landlock=exec:/usr", "landlock=exec:/bin", "landlock=exec:/lib", "best_effort=landlock")
			},
			try: func(args []string) error { return holds(args[0]+"/f", mine) },
		},
		{
			name: "landlock-port", what: "connect to a port that no rule allows", stops: fence, needs: landlock(4), want: []syscall.Errno{syscall.EACCES},
			scene: func(s *scene) { s.opts = []string{"landlock=bind:0", "best_effort=landlock"} },
			try:   func([]string) error { return reached(bare(dial("tcp", "127.0.0.1:1")), syscall.ECONNREFUSED) },
		},
		{
			name: "abstract-socket-with-host-network", what: "connect to a server's socket without a file, with net=host", stops: fence, needs: landlock(6),
			want: []syscall.Errno{syscall.EPERM},
			scene: func(s *scene) {
				s.args, s.opts = []string{"@escape-" + s.word()}, []string{"net=host"}
				s.listen("unix", s.args[0])
			},
			try: func(args []string) error { return dial("unix", args[0]) },
		},
		{
			name: "boot-time", what: "learn for how long the machine has been running", stops: []layer{timeLayer}, hostProfile: true, want: []syscall.Errno{syscall.ENODATA},
			scene: func(s *scene) {
				if why := clocks(); why != "" {
					s.Skip(why)
				}
				s.args, s.opts = []string{strconv.FormatFloat(uptime(), 'f', -1, 64)}, []string{"clock=boottime:10000h"}
			},
			try: func(args []string) error {
				host, err := strconv.ParseFloat(args[0], 64)
				if err == nil && uptime()-host > 3600 {
					return syscall.ENODATA
				}
				return err
			},
		},
	}
}

// landlock says why there is no control where Landlock is older than that.
func landlock(abi int) func() string {
	return func() string {
		if got, _ := linux.LandlockABI(); got < abi {
			return "it takes Landlock " + strconv.Itoa(abi)
		}
		return ""
	}
}

// clocks says why there are no clocks of one's own here.
func clocks() string {
	var major, minor int
	if n, _ := fmt.Sscanf(linux.Kernel(), "Linux %d.%d", &major, &minor); n == 2 && major*100+minor < 603 {
		return "it takes Linux 6.3"
	}
	if _, err := os.Stat("/proc/self/timens_offsets"); err != nil {
		return err.Error()
	}
	return ""
}

// bare returns the errno of an error, as reached takes it.
func bare(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = u.Unwrap()
	}
}

func uptime() float64 {
	b, _ := os.ReadFile("/proc/uptime")
	text, _, _ := strings.Cut(string(b), " ")
	n, _ := strconv.ParseFloat(text, 64)
	return n
}
