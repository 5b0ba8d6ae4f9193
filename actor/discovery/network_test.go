package discovery_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

// Addresses of the two ends of the link between "hosts", which are network
// namespaces.
const (
	nearIP = "10.231.77.1"
	farIP  = "10.231.77.2"
)

// A farActor is what the helper "far" is told, on its standard input.
type farActor struct {
	Registrar           string
	Authority           []byte // DER, as the others
	Certificate, Secret []byte
}

// far is an actor on another host.
func far([]string) int {
	var told farActor
	if err := json.NewDecoder(os.Stdin).Decode(&told); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cert, err1 := x509.ParseCertificate(told.Authority)
	key, err2 := x509.ParsePKCS8PrivateKey(told.Secret)
	at, err3 := address.Parse(told.Registrar)
	if err := errors.Join(err1, err2, err3); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	var s portal.Server
	portal.Handle(&s, "who", func(context.Context, int) (string, error) { return "far", nil })
	m, err := discovery.Join(context.Background(), &actor.Actor{Name: "far", UID: "far"}, discovery.Config{
		Host: "far", Registrar: []address.Addr{at}, Portal: portal.Config{Serve: &s},
		TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{told.Certificate}, PrivateKey: key}}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(strings.Join(m.Addresses(), " "))
	os.Stdin.Read(make([]byte, 1)) // to its end
	m.Close()
	return 0
}

// ip runs ip(8).
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v, %s", args, err, out)
	}
}

// link makes a network namespace with a link to this one, or skips the test.
func link(t *testing.T) (namespace, device string) {
	t.Helper()
	skip := func(why string) {
		helperproc.Skip("far")
		t.Skip(why)
	}
	if os.Geteuid() != 0 {
		skip("network namespaces with a link between them take root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		skip("ip (of iproute2) is not here")
	}
	namespace = fmt.Sprintf("hatchery-%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", namespace).CombinedOutput(); err != nil {
		skip(fmt.Sprintf("a network namespace cannot be made: %v, %s", err, out))
	}
	t.Cleanup(func() { ip(t, "netns", "delete", namespace) })
	device = fmt.Sprintf("hd%d", os.Getpid()%100_000)
	if out, err := exec.Command("ip", "link", "add", device, "type", "veth", "peer", "name", "there", "netns", namespace).CombinedOutput(); err != nil {
		skip(fmt.Sprintf("a link cannot be made: %v, %s", err, out))
	}
	ip(t, "address", "add", nearIP+"/30", "dev", device)
	ip(t, "link", "set", device, "up")
	ip(t, "-n", namespace, "address", "add", farIP+"/30", "dev", "there")
	ip(t, "-n", namespace, "link", "set", "there", "up")
	return namespace, device
}

// TestBetweenHosts has an actor on another host, and cuts the link to it.
func TestBetweenHosts(t *testing.T) {
	namespace, device := link(t)
	ours := newAuthority(t)
	cfg := discovery.Config{TLS: ours.config(t, nearIP)}
	at := here(t, &actor.Actor{Name: "registrar", UID: "0", Bind: []string{"/ip4/" + nearIP + "/tcp/0"}}, discovery.RegistrarEntry(cfg))
	cfg.Registrar = parse(t, at...)

	cert := ours.config(t, farIP).Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(farActor{at[0], ours.cert.Raw, cert.Certificate[0], secret})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", namespace, helperproc.Path())
	cmd.Env = append(os.Environ(), helperproc.Env("far"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	if _, err := stdin.Write(append(told, '\n')); err != nil {
		t.Fatal(err)
	}

	c, err := discovery.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	found := func() {
		t.Helper()
		p, err := c.Wait(ctx, "far")
		if got := who(t, ctx, p, err); got != "far" {
			t.Errorf("%q answered", got)
		}
	}
	found()
	if e, err := c.Find(ctx, "far"); err != nil || len(e.Addrs) != 1 || e.Addrs[0].AddrPort().Addr().String() != farIP {
		t.Errorf("%v, %v: want an address on the interface that faces the registrar", e, err)
	}
	ip(t, "link", "set", device, "down")
	begin := time.Now()
	eventually(t, "it is forgotten", func() bool { _, err := c.Find(ctx, "far"); return errors.Is(err, discovery.ErrNotFound) })
	t.Logf("forgotten after %v", time.Since(begin).Round(100*time.Millisecond))
	ip(t, "link", "set", device, "up")
	found()
}
