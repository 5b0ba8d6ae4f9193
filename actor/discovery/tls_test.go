package discovery_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// An authority signs certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

// config returns the TLS of an actor on an IP address.
func (a *authority) config(t *testing.T, ip string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "actor"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(ip)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// here runs an entry point in this process, until the test ends.
func here(t *testing.T, a *actor.Actor, e actor.Entry) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addrs, err := e.Setup(ctx, a)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	over := make(chan error)
	go func() { over <- e.Run(ctx, a) }()
	t.Cleanup(func() { cancel(); <-over })
	return addrs
}

func TestWithCertificates(t *testing.T) {
	leakcheck.Check(t)
	ours := newAuthority(t)
	cfg := discovery.Config{TLS: ours.config(t, "127.0.0.1")}
	at := here(t, &actor.Actor{Name: "registrar", UID: "0", Bind: []string{"/ip4/127.0.0.1/tcp/0"}}, discovery.RegistrarEntry(cfg))
	cfg.Registrar = parse(t, at...)
	var s portal.Server
	portal.Handle(&s, "who", func(context.Context, int) (string, error) { return "1", nil })
	joined := cfg
	joined.Portal.Serve = &s
	m, err := discovery.Join(t.Context(), &actor.Actor{Name: "a", UID: "1"}, joined)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := discovery.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := c.Query(t.Context(), "a")
	if got := who(t, t.Context(), p, err); got != "1" {
		t.Errorf("%q answered", got)
	}

	elsewhere := ours.config(t, "127.0.0.2") // which is not where the registrar is
	bare := ours.config(t, "127.0.0.1")
	bare.Certificates = nil
	bare.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }
	bare.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tls.Certificate{}, nil }
	for what, cfg := range map[string]discovery.Config{
		"another authority": {TLS: newAuthority(t).config(t, "127.0.0.1")},
		"no certificate":    {TLS: bare},
		"no TLS":            {},
	} {
		if _, err := discovery.Probe(t.Context(), cfg, parse(t, at...)[0]); !errors.Is(err, discovery.ErrOccupied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wrong := here(t, &actor.Actor{Name: "registrar", UID: "2", Bind: []string{"/ip4/127.0.0.1/tcp/0"}}, discovery.RegistrarEntry(discovery.Config{TLS: elsewhere}))
	if _, err := discovery.Probe(t.Context(), cfg, parse(t, wrong...)[0]); err == nil || !strings.Contains(err.Error(), "127.0.0.2") {
		t.Errorf("a certificate of another address: %v", err)
	}
}

// TestWhatTLSHasToHave refuses configurations that would let anybody in.
func TestWhatTLSHasToHave(t *testing.T) {
	good := newAuthority(t).config(t, "127.0.0.1")
	for want, spoil := range map[string]func(*tls.Config){
		"RootCAs":            func(c *tls.Config) { c.RootCAs = nil },
		"Certificates":       func(c *tls.Config) { c.Certificates = nil },
		"InsecureSkipVerify": func(c *tls.Config) { c.InsecureSkipVerify = true },
	} {
		bad := good.Clone()
		spoil(bad)
		if _, err := discovery.Probe(t.Context(), discovery.Config{TLS: bad}, parse(t, "/ip4/127.0.0.1/tcp/1")[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q in it", err, want)
		}
	}
}

func TestBeyondThisHostIsOff(t *testing.T) {
	far := parse(t, "/ip4/192.0.2.1/tcp/1616")[0]
	if _, err := discovery.Probe(t.Context(), discovery.Config{}, far); !errors.Is(err, discovery.ErrNoTLS) {
		t.Errorf("to connect: %v", err)
	}
	for _, bind := range []string{"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0", "/ip4/192.0.2.1/tcp/0"} {
		_, err := discovery.RegistrarEntry(discovery.Config{}).Setup(t.Context(), &actor.Actor{Name: "r", UID: "1", Bind: []string{bind}})
		if !errors.Is(err, discovery.ErrNoTLS) || !strings.Contains(err.Error(), bind) {
			t.Errorf("to listen at %s: %v", bind, err)
		}
	}
}

// TestStrangersWithoutEnd connect and say nothing: who has a certificate is served
// all the same, and the number of those is bounded.
func TestStrangersWithoutEnd(t *testing.T) {
	leakcheck.Check(t)
	cfg := discovery.Config{TLS: newAuthority(t).config(t, "127.0.0.1")}
	at := here(t, &actor.Actor{Name: "registrar", UID: "0", Bind: []string{"/ip4/127.0.0.1/tcp/0"}}, discovery.RegistrarEntry(cfg))
	a := parse(t, at...)[0]
	network, addr := a.Dial()
	strangers := func(count int) (all []net.Conn) {
		for range count {
			c, err := net.Dial(network, addr)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		return all
	}
	some := strangers(100)
	if _, err := discovery.Probe(t.Context(), cfg, a); err != nil {
		t.Errorf("beside a hundred: %v", err)
	}
	more := strangers(discovery.MaxStrangers)
	last := more[len(more)-1]
	last.SetReadDeadline(time.Now().Add(soon))
	if _, err := io.Copy(io.Discard, last); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one too many is let in: %v", err)
	}
	for _, c := range append(some, more...) {
		c.Close()
	}
	eventually(t, "there is room again", func() bool { _, err := discovery.Probe(t.Context(), cfg, a); return err == nil })
}

func TestPathsThatAreTooLong(t *testing.T) {
	for _, n := range []int{107, 108, 300} {
		a, err := address.Unix("/" + strings.Repeat("x", n-1))
		if err != nil {
			t.Fatal(err)
		}
		_, err = discovery.Probe(t.Context(), discovery.Config{}, a)
		if n <= 107 {
			if !errors.Is(err, discovery.ErrNobody) {
				t.Errorf("%d bytes: %v", n, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "at most 107") || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
			t.Errorf("%d bytes: %v", n, err)
		}
		_, err = discovery.RegistrarEntry(discovery.Config{}).Setup(t.Context(), &actor.Actor{Name: "r", UID: "1", Bind: []string{a.String()}})
		if err == nil || !strings.Contains(err.Error(), "at most 107") {
			t.Errorf("to listen, %d bytes: %v", n, err)
		}
	}
}
