package parent_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// strange is an actor that does not keep to the protocol, in the way of its
// argument, and does not end by itself then.
func strange(args []string) int {
	fd, err := strconv.Atoi(os.Getenv(channel.Variable))
	if err != nil {
		return 3
	}
	if args[0] == "garbage" {
		os.NewFile(uintptr(fd), "channel").WriteString("HTTP/1.1 400 Bad Request\r\n\r\n")
		<-time.After(time.Hour)
	}
	c, err := channel.Open(fd)
	if err != nil {
		return 4
	}
	say := func(t channel.Type, v any) { c.Send(context.Background(), t, v) }
	hello := channel.Hello{Version: channel.Version}
	switch args[0] {
	case "version":
		say(channel.TypeHello, channel.Hello{Version: channel.Version + 1})
	case "order":
		say(channel.TypeStarted, channel.Started{})
	case "twice":
		say(channel.TypeHello, hello)
		say(channel.TypeHello, hello)
	case "closes":
		say(channel.TypeHello, hello)
		c.End(nil)
	case "mute":
		say(channel.TypeHello, hello)
		say(channel.TypeStarted, channel.Started{Addresses: []string{"/unix/x"}})
		c.End(nil)
	case "late":
		say(channel.TypeHello, hello)
		say(channel.TypeStarted, channel.Started{})
		say(channel.TypeStarted, channel.Started{})
	}
	<-time.After(time.Hour) // whatever it is asked
	return 5
}

func strangeSpec(how string) parent.Spec {
	s := spec("a", "none")
	s.Program.Args = helperproc.Argv("strange", how)
	s.Stop.Grace, s.Stop.AskTime = time.Second, 100*time.Millisecond
	return s
}

func TestAnActorThatDoesNotKeepToTheProtocol(t *testing.T) {
	h := open(t, host.Config{})
	for how, want := range map[string]struct {
		kind error
		text string
	}{
		"version": {spawn.ErrVersion, "version 2 of the channel's protocol, this program version 1"},
		"order":   {spawn.ErrProtocol, "before hello"},
		"twice":   {spawn.ErrProtocol, "hello twice"},
		"garbage": {spawn.ErrProtocol, "no frame"},
		"closes":  {spawn.ErrProtocol, "closed its channel before it said started, and did not end"},
	} {
		err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
			_, err := parent.Start(ctx, n, strangeSpec(how))
			if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.text) {
				t.Errorf("%s: %v: want %v and %q", how, err, want.kind, want.text)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: the nursery failed: %v", how, err)
		}
	}
}

// TestAnActorThatIsLostLater has actors that are started, and cannot be reached
// any more: they are stopped, and their error says why.
func TestAnActorThatIsLostLater(t *testing.T) {
	h := open(t, host.Config{})
	for how, want := range map[string]string{"mute": "closed its channel", "late": "said started twice"} {
		nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
			a, err := parent.Start(ctx, n, strangeSpec(how))
			if err == nil {
				err = a.Wait()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v: want %q", how, err, want)
			}
			return nil
		})
	}
}

// TestAnActorThatIsToldMuch holds that it need not fit into the socket's buffer.
func TestAnActorThatIsToldMuch(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		for _, size := range []int{10 << 10, 700 << 10} {
			a := start(t, n, spec("a", "count", strings.Repeat("x", size)))
			if err := a.Wait(); err != nil {
				return err
			}
			var got int
			if err := a.Result(&got); err != nil || got != size {
				t.Errorf("%d, %v: want %d", got, err, size)
			}
		}
		_, err := parent.Start(ctx, n, spec("a", "count", strings.Repeat("x", channel.MaxPayload)))
		var child *host.ChildError // of one that was started
		if !errors.Is(err, syscall.EMSGSIZE) || errors.As(err, &child) || !strings.Contains(err.Error(), "at most 1048576") {
			t.Errorf("%v: want the limit", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
