package discovery_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// stranger listens at an address, and sends text to who connects.
func stranger(t *testing.T, at string, text string) address.Addr {
	t.Helper()
	network, addr := parse(t, at)[0].Dial()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var conns []net.Conn
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			io.WriteString(c, text)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
		for _, c := range conns {
			c.Close()
		}
	})
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		a, err := address.TCP(tcp.AddrPort())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	return parse(t, at)[0]
}

// TestARegistryAddressServedByAStranger holds that nobody is started there.
func TestARegistryAddressServedByAStranger(t *testing.T) {
	leakcheck.Check(t)
	for _, text := range []string{"", "HTTP/1.1 400 Bad Request\r\n\r\n", strings.Repeat("x", 1<<16)} {
		for _, at := range []string{socket(t), "/ip4/127.0.0.1/tcp/0"} {
			a := stranger(t, at, text)
			begin := time.Now()
			_, err := discovery.AnyRegistrar(t.Context(), discovery.Config{Registrar: []address.Addr{a}})
			if !errors.Is(err, discovery.ErrOccupied) || !strings.Contains(err.Error(), "occupied but did not answer") || !strings.Contains(err.Error(), a.String()) {
				t.Errorf("%.10q at %v: %v", text, a, err)
			}
			if took := time.Since(begin); took > discovery.MeetTime+time.Second {
				t.Errorf("%.10q at %v: it took %v", text, a, took)
			}
		}
	}
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		a := stranger(t, socket(t), "")
		_, err := parent.Start(ctx, n, spec("registrar", "registrar", a.String()))
		if !errors.Is(err, discovery.ErrOccupied) || !strings.Contains(err.Error(), a.String()) {
			t.Errorf("a registrar there: %v", err)
		}
		free := socket(t)
		if ok, err := discovery.AnyRegistrar(ctx, discovery.Config{Registrar: parse(t, free, "/ip4/127.0.0.1/tcp/1")}); ok || err != nil {
			t.Errorf("nobody at all: %v, %v", ok, err)
		}
		start(t, ctx, n, spec("registrar", "registrar", free))
		if ok, err := discovery.AnyRegistrar(ctx, discovery.Config{Registrar: append(parse(t, free), a)}); !ok || err != nil {
			t.Errorf("a stranger, and a registrar elsewhere: %v, %v", ok, err)
		}
		if _, err := parent.Start(ctx, n, spec("registrar", "registrar", free)); err == nil || !strings.Contains(err.Error(), "running") {
			t.Errorf("a second registrar there: %v", err)
		}
		m := start(t, ctx, n, spec("m", "member", free))
		if _, err := discovery.Probe(ctx, discovery.Config{}, parse(t, m.Addresses()[0])[0]); !errors.Is(err, discovery.ErrOccupied) || !strings.Contains(err.Error(), "no registrar") {
			t.Errorf("an actor that is none: %v", err)
		}
	})
}

// TestARegistrarThatHangs is stopped after it has answered: another one is asked,
// and without another the wait is bounded.
func TestARegistrarThatHangs(t *testing.T) {
	first, second := socket(t), socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		hangs := start(t, ctx, n, spec("first", "registrar", first))
		only, both := client(t, first), client(t, first, second)
		for _, c := range []*discovery.Client{only, both} {
			if _, err := c.List(ctx); err != nil {
				t.Fatal(err)
			}
		}
		start(t, ctx, n, spec("second", "registrar", second))
		a := start(t, ctx, n, spec("a", "member", first, second))
		signal(t, hangs, syscall.SIGSTOP)
		defer signal(t, hangs, syscall.SIGCONT)
		p, err := both.Wait(ctx, "a")
		if got := who(t, ctx, p, err); got != a.UID() {
			t.Errorf("%s answered", got)
		}
		begin := time.Now()
		if _, err := only.Find(ctx, "a"); !errors.Is(err, discovery.ErrNoRegistrar) {
			t.Errorf("with the one that hangs alone: %v", err)
		}
		if took := time.Since(begin); took > 3*discovery.MeetTime {
			t.Errorf("that took %v", took)
		}
		// Who comes meanwhile needs one of the two.
		b := start(t, ctx, n, spec("b", "member", first, second))
		p, err = both.Query(ctx, "b")
		if got := who(t, ctx, p, err); got != b.UID() {
			t.Errorf("%s answered", got)
		}
	})
}

func signal(t *testing.T, a *parent.Actor, sig syscall.Signal) {
	t.Helper()
	if err := a.Child().Process().Signal(sig); err != nil {
		t.Error(err)
	}
}

// TestAnActorThatHangs is struck off when somebody wanted it, and is back when it
// goes on.
func TestAnActorThatHangs(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		a := start(t, ctx, n, spec("a", "member", r))
		c := client(t, r)
		signal(t, a, syscall.SIGSTOP)
		if _, err := c.Query(ctx, "a"); !errors.Is(err, discovery.ErrOccupied) {
			t.Errorf("%v: want that it does not answer", err)
		}
		begin := time.Now()
		if _, err := c.Query(ctx, "a"); !errors.Is(err, discovery.ErrNotFound) || time.Since(begin) > discovery.MeetTime {
			t.Errorf("the second time: %v", err)
		}
		signal(t, a, syscall.SIGCONT)
		p, err := c.Wait(ctx, "a")
		if got := who(t, ctx, p, err); got != a.UID() {
			t.Errorf("%s answered", got)
		}
	})
}

// claim is what an actor registers, as docs/protocol.md has it.
type claim struct {
	Name  string   `json:"name"`
	UID   string   `json:"uid"`
	Addrs []string `json:"addrs"`
	Host  string   `json:"host"`
}

// TestLiars registers what is not true, and accuses who is there.
func TestLiars(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		a := start(t, ctx, n, spec("a", "member", r))
		c := client(t, r)
		e, err := c.Find(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		p, err := discovery.Dial(ctx, discovery.Config{Portal: portal.Config{Errors: discovery.Errors()}}, "", parse(t, r))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for what, lie := range map[string]any{
			"another's address":   claim{"liar", "0123", a.Addresses(), e.Host},
			"an address of none":  claim{"liar", "0123", []string{socket(t)}, e.Host},
			"no address":          claim{"liar", "0123", nil, e.Host},
			"a bad address":       claim{"liar", "0123", []string{"/udp"}, e.Host},
			"a stranger's":        claim{"liar", "0123", []string{stranger(t, socket(t), "").String()}, e.Host},
			"the registrar's own": claim{"liar", "0123", []string{r}, e.Host},
			"no claim":            []int{1},
			"a huge one":          claim{strings.Repeat("x", 1<<20), "0123", a.Addresses(), e.Host},
		} {
			s, err := portal.OpenStream[any, any](ctx, p, "registrar.register")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(lie); err != nil {
				t.Error(err)
			}
			if _, err := s.Recv(); err == nil || errors.Is(err, portal.ErrGone) {
				t.Errorf("%s: %v", what, err)
			}
			s.Close()
		}
		for _, lie := range []map[string]string{
			{"uid": a.UID(), "addr": a.Addresses()[0], "host": e.Host}, {"uid": "0123", "addr": a.Addresses()[0], "host": e.Host},
			{"uid": a.UID(), "addr": a.Addresses()[0]}, {"uid": a.UID(), "addr": "/udp"}, {},
		} {
			portal.Call[struct{}](ctx, p, "registrar.stale", lie)
		}
		all, err := c.List(ctx)
		if err != nil || len(all) != 1 || all[0].UID != a.UID() || len(all[0].Addrs) != 1 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

// TestAFalseRegistrar answers with what was not asked for, or not at all.
func TestAFalseRegistrar(t *testing.T) {
	leakcheck.Check(t)
	for what, hello := range map[string]func(nonce string) map[string]any{
		"another nonce":    func(string) map[string]any { return map[string]any{"protocol": 1, "nonce": "x", "registrar": true} },
		"another protocol": func(n string) map[string]any { return map[string]any{"protocol": 2, "nonce": n, "registrar": true} },
		"no registrar":     func(n string) map[string]any { return map[string]any{"protocol": 1, "nonce": n} },
		"nonsense":         func(string) map[string]any { return map[string]any{"protocol": "x"} },
	} {
		c := client(t, falseRegistrar(t, hello))
		if _, err := c.List(t.Context()); !errors.Is(err, discovery.ErrNoRegistrar) || !errors.Is(err, discovery.ErrOccupied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := client(t, falseRegistrar(t, func(n string) map[string]any { return map[string]any{"protocol": 1, "nonce": n, "registrar": true} }))
	if _, err := c.Query(t.Context(), "a"); !errors.Is(err, discovery.ErrNotFound) {
		t.Errorf("an entry of another name: %v", err)
	}
	if _, err := c.Query(t.Context(), "b"); err == nil || errors.Is(err, discovery.ErrNotFound) {
		t.Errorf("an entry with an address that is none: %v", err)
	}
}

func falseRegistrar(t *testing.T, hello func(string) map[string]any) string {
	t.Helper()
	var s portal.Server
	portal.Handle(&s, "discovery.hello", func(_ context.Context, g map[string]string) (map[string]any, error) { return hello(g["nonce"]), nil })
	portal.Handle(&s, "registrar.find", func(_ context.Context, q map[string]string) (map[string]any, error) {
		if q["name"] == "b" {
			return map[string]any{"entries": []any{map[string]any{"name": "b", "addrs": []string{"/udp/1"}}}}, nil
		}
		return map[string]any{"entries": []any{map[string]any{"name": "other", "addrs": []string{"/unix/x"}}}}, nil
	})
	at := socket(t)
	l, err := net.Listen("unix", strings.TrimPrefix(at, "/unix"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error)
	go func() { over <- portal.Serve(ctx, l, portal.Config{Serve: &s}) }()
	t.Cleanup(func() { cancel(); <-over })
	return at
}

// TestAnotherUser may neither ask nor be asked.
func TestAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		helperproc.Skip("nobody")
		t.Skip("only root can be two users")
	}
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		s := spec("registrar", "registrar")
		s.Bind = []string{"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"}
		for _, at := range start(t, ctx, n, s).Addresses() {
			if out := asNobody(t, "probe", at); !strings.Contains(out, "occupied but did not answer") {
				t.Errorf("at %s nobody has got: %s", at, out)
			}
			if _, err := discovery.Probe(ctx, discovery.Config{}, parse(t, at)[0]); err != nil {
				t.Errorf("at %s root has got: %v", at, err)
			}
		}
	})
	// The registrar is nobody's, and root asks.
	cmd := nobody(t, "registrar")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	line := make([]byte, 200)
	k, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	at := parse(t, strings.TrimSpace(string(line[:k])))[0]
	if _, err := discovery.Probe(t.Context(), discovery.Config{}, at); !errors.Is(err, discovery.ErrForeignUser) || !strings.Contains(err.Error(), "65534") {
		t.Errorf("root has got: %v", err)
	}
}

func nobody(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := helperproc.Command("nobody", args...)
	cmd.Path = "/proc/self/exe" // the test binary's folder may be root's alone
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Dir = "/"
	return cmd
}

func asNobody(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := nobody(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v, %s", args, err, out.String())
	}
	return out.String()
}
