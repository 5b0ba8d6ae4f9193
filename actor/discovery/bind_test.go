package discovery_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

func TestAddressesInEveryForm(t *testing.T) {
	const text = "/ip4/127.0.0.1/tcp/80"
	parsed := parse(t, text)
	for _, given := range [][]any{
		{text}, {[2]any{"127.0.0.1", 80}}, {[]any{"127.0.0.1", int64(80)}}, {[]any{"localhost", uint16(80)}}, {parsed[0]}, {parsed}, {[]string{text}},
		{netip.MustParseAddrPort("127.0.0.1:80")},
	} {
		if got, err := discovery.Addresses(given...); err != nil || !slices.Equal(got, parsed) {
			t.Errorf("%v is %v, %v", given, got, err)
		}
	}
	for _, given := range []any{"x", 80, nil, []any{"127.0.0.1"}, []any{80, "127.0.0.1"}, [2]any{"x", 80}, [2]any{"127.0.0.1", 99999}, address.Addr{}, netip.AddrPort{}} {
		if got, err := discovery.Addresses(text, given); !errors.Is(err, syscall.EINVAL) || got != nil || !strings.Contains(err.Error(), "address 2: ") {
			t.Errorf("%v is %v, %v", given, got, err)
		}
	}
}

func TestWhereARegistrarListens(t *testing.T) {
	for _, c := range []struct{ asked, registry, want string }{
		{"/unix/a", "/unix/b", "/unix/a /unix/b"},
		{"/unix/b /unix/a", "/unix/c /unix/a", "/unix/b /unix/a /unix/c"},
		{"", "/unix/b /unix//b", "/unix/b"},
		{"/unix/a /unix/a", "", "/unix/a"},
		{"/ip4/127.0.0.1/tcp/0 /ip4/127.0.0.1/tcp/0", "", "/ip4/127.0.0.1/tcp/0 /ip4/127.0.0.1/tcp/0"},
	} {
		b := discovery.Binding{Asked: parse(t, strings.Fields(c.asked)...), Registry: parse(t, strings.Fields(c.registry)...)}
		if got, err := b.Registrar(); err != nil || strings.Join(address.Strings(got), " ") != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
	if got, err := (discovery.Binding{}).Registrar(); err == nil {
		t.Errorf("nothing is %v", got)
	}
}

func TestWhereOthersListen(t *testing.T) {
	registry := parse(t, "/ip4/127.0.0.1/tcp/1616", "/unix/run/registrar")
	asked := parse(t, "/ip6/::1/tcp/5", "/unix/x", "/unix/x")
	if got, err := (discovery.Binding{Asked: asked, Registry: registry, Socket: "/s"}).Actor(); err != nil || !slices.Equal(got, asked[:2]) {
		t.Errorf("exactly what was asked: %v, %v", got, err)
	}
	if got, err := (discovery.Binding{Registry: registry, Socket: "/run/own"}).Actor(); err != nil || len(got) != 1 || got[0].Path() != "/run/own" {
		t.Errorf("its own socket: %v, %v", got, err)
	}
	beside := discovery.Binding{Registry: registry}
	first, err1 := beside.Actor()
	second, err2 := beside.Actor()
	if err1 != nil || err2 != nil || first[0] == second[0] || !strings.HasPrefix(first[0].Path(), "/run/") || first[0] == registry[1] {
		t.Errorf("beside the registrar: %v, %v, %v, %v", first, second, err1, err2)
	}
	if got, err := (discovery.Binding{Registry: registry[:1], Socket: "/s"}).Actor(); err != nil || got[0].String() != "/ip4/127.0.0.1/tcp/0" {
		t.Errorf("by TCP: %v, %v", got, err)
	}
	if got, err := (discovery.Binding{Socket: "/s"}).Actor(); err == nil {
		t.Errorf("nothing is %v", got)
	}
}
