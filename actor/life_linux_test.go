package actor_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// contextOf returns a context that ends after d. Its timer goes with it.
func contextOf(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// cancel asks an actor to end.
func (c *rawChild) cancel(t testing.TB, by string) {
	t.Helper()
	if err := c.channel.Request(contextOf(limit), channel.TypeCancel, channel.Cancel{By: by, Reason: "why"}); err != nil {
		t.Fatal(err)
	}
}

// canceled checks that an actor has ended because it was canceled.
func (c *rawChild) canceled(t testing.TB, by string, code int) {
	t.Helper()
	e, got := c.end(t)
	err := actor.Errors(nil).Error(e.Error)
	var why *actor.Canceled
	if !e.Canceled || !errors.As(err, &why) || why.By != by || got != code {
		t.Errorf("it has ended with code %d, canceled %v, and %v: want code %d, canceled by %s", got, e.Canceled, err, code, by)
	}
}

func TestNotStartedAsAnActor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for value, want := range map[string]string{
		"":    "this program is an actor",
		"x":   "want the number of a descriptor",
		"-1":  "want the number of a descriptor",
		"77":  "bad file descriptor",
		"3":   "socket operation on non-socket",
		"1e9": "want the number of a descriptor",
	} {
		cmd := helperproc.Command("actor")
		if value != "" {
			cmd.Env = append(os.Environ(), channel.Variable+"="+value)
		}
		cmd.ExtraFiles = []*os.File{r}
		var out bytes.Buffer
		cmd.Stderr = &out
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: %v, want exit code 2", value, err)
		}
		if !strings.Contains(out.String(), want) || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%q: it says %q, want one line with %q", value, out.String(), want)
		}
	}
}

func TestAResult(t *testing.T) {
	e, code := child(t, "return", "").end(t)
	if e.Error != nil || e.Canceled || string(e.Result) != `{"n":7}` || code != 0 {
		t.Errorf("it has ended with code %d and %+v", code, e)
	}
}

func TestAWaitingChildThatIsNotNeeded(t *testing.T) {
	c := parked(t)
	<-c.hello
	c.channel.End(nil)
	select {
	case <-c.exited:
	case <-time.After(limit):
		t.Fatal("it lives on")
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("code %d", code)
	}
}

func TestCancelIsAcknowledgedAndObeyed(t *testing.T) {
	c := child(t, "idle", "")
	c.cancel(t, "the test")
	c.canceled(t, "the test", 143)
}

// TestCancelIsAcknowledgedByTheBusy asks twice, too: the first request counts.
func TestCancelIsAcknowledgedByTheBusy(t *testing.T) {
	c := child(t, "busy", "")
	c.cancel(t, "the test")
	c.cancel(t, "somebody else")
}

func TestCanceledWithSuccess(t *testing.T) {
	c := child(t, "nil", "")
	c.cancel(t, "the test")
	if e, code := c.end(t); code != 0 || e.Error != nil || e.Canceled {
		t.Errorf("code %d, %+v", code, e)
	}
}

func TestCanceledWithAFailure(t *testing.T) {
	c := child(t, "both", "")
	c.cancel(t, "the test")
	e, code := c.end(t)
	if code != 1 || e.Canceled || e.Error == nil || !strings.Contains(e.Error.Text, errOwn.Error()) {
		t.Errorf("code %d, %+v: want the failure", code, e)
	}
}

func TestSignals(t *testing.T) {
	t.Run("SIGTERM", func(t *testing.T) {
		c := child(t, "idle", "")
		c.signal(t, syscall.SIGTERM)
		c.canceled(t, "SIGTERM", 143)
	})
	t.Run("SIGINT, self", func(t *testing.T) {
		c := child(t, "idle", channel.SIGINTSelf)
		c.signal(t, syscall.SIGINT)
		c.canceled(t, "SIGINT", 130)
	})
	for _, mode := range []string{"", channel.SIGINTParent} {
		t.Run("SIGINT, parent "+mode, func(t *testing.T) {
			c := child(t, "idle", mode)
			c.signal(t, syscall.SIGINT)
			c.signal(t, syscall.SIGINT)
			c.cancel(t, "the test") // which it would not be canceled by if it had listened
			c.canceled(t, "the test", 143)
		})
	}
	t.Run("SIGTERM, before it is told what to be", func(t *testing.T) {
		c := parked(t)
		<-c.hello
		c.signal(t, syscall.SIGINT) // ignored
		c.signal(t, syscall.SIGTERM)
		c.canceled(t, "SIGTERM", 143)
	})
}

func TestFramesItDoesNotKnow(t *testing.T) {
	c := child(t, "idle", "")
	if err := c.channel.Request(contextOf(limit), 99, struct{}{}); !errors.Is(err, channel.ErrRefused) {
		t.Errorf("a request: %v, want a refusal", err)
	}
	if err := c.channel.Send(contextOf(limit), 98, struct{}{}); err != nil {
		t.Error(err)
	}
	c.cancel(t, "the test")
	c.canceled(t, "the test", 143)
}

func TestASecondSpawnEndsIt(t *testing.T) {
	c := child(t, "idle", "")
	if err := c.channel.Send(contextOf(limit), channel.TypeSpawn, channel.Spawn{Name: "b", Entry: "idle"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.exited:
	case <-time.After(limit):
		t.Fatal("it lives on")
	}
}
