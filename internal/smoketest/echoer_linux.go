package smoketest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// echoer answers every line with itself, and "exit N" by exiting with N.
func echoer([]string) int {
	say("up")
	return answer()
}

func answer() int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if code, ok := strings.CutPrefix(in.Text(), "exit "); ok {
			n, _ := strconv.Atoi(code)
			return n
		}
		say("%s", in.Text())
	}
	return 0
}

// answers asks an echoer whether it is there.
func (v *victim) answers(ctx context.Context) error {
	if err := v.tell(ctx, "there?"); err != nil {
		return err
	}
	_, err := v.expect(ctx, "there?")
	return err
}

// startedPid returns the number of the process that v says it has started.
func (v *victim) startedPid(ctx context.Context) (int, error) {
	text, err := v.expect(ctx, "started")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%q is no process", text)
	}
	return pid, nil
}
