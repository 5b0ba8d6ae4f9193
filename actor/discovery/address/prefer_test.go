package address_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

func all(t *testing.T, text string) []address.Addr {
	t.Helper()
	addrs, err := address.ParseAll(strings.Fields(text)...)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

// own are interfaces for the tests: an address of each family, one mapped, one
// with a zone.
func own() ([]netip.Addr, error) {
	return []netip.Addr{
		netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.2"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::1%eth0"),
	}, nil
}

const (
	unixA, unixB     = "/unix/a", "/unix/b"
	loop4, loop6     = "/ip4/127.0.0.5/tcp/80", "/ip6/::1/tcp/80"
	own4, own6       = "/ip4/10.0.0.1/tcp/80", "/ip6/2001:db8::1/tcp/80"
	ownMapped        = "/ip4/10.0.0.2/tcp/80"
	remote4, remote6 = "/ip4/10.0.0.9/tcp/80", "/ip6/2001:db8::9/tcp/80"
)

func TestPreference(t *testing.T) {
	for in, want := range map[string]string{
		join(unixA, loop4, remote4):         unixA,
		join(remote4, loop4, unixA):         unixA,
		join(unixA, unixB):                  unixB,
		join(unixB, loop4, unixA, remote4):  unixA,
		join(remote4, loop4):                loop4,
		join(loop4, remote4):                loop4,
		join(loop4, own4):                   own4,
		join(own4, loop6):                   loop6,
		join(remote4, own6, remote6):        own6,
		join(remote4, ownMapped, remote6):   ownMapped,
		join(remote4, remote6):              remote6,
		join(remote6, remote4):              remote4,
		join("/ip6/fe80::1/tcp/1", remote4): "/ip6/fe80::1/tcp/1",
		join(remote4):                       remote4,
	} {
		addrs := all(t, in)
		before := slices.Clone(addrs)
		for range 3 {
			got, err := address.Selector{Interfaces: own}.Preferred(addrs)
			if err != nil || got.String() != want {
				t.Errorf("of %s: %v, %v, want %s", in, got, err, want)
			}
		}
		if !slices.Equal(addrs, before) {
			t.Errorf("%s has become %v", in, addrs)
		}
	}
}

func join(s ...string) string { return strings.Join(s, " ") }

func TestOrder(t *testing.T) {
	got := address.Selector{Interfaces: own}.Ordered(all(t, join(remote4, own4, unixA, own4, remote6, loop4, unixB)))
	if want := all(t, join(unixB, unixA, loop4, own4, remote6, remote4)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNothingToChooseFrom(t *testing.T) {
	for _, addrs := range [][]address.Addr{nil, {}, {{}}} {
		if got, err := (address.Selector{}).Preferred(addrs); !errors.Is(err, address.ErrNone) || got.IsValid() {
			t.Errorf("of %v: %v, %v", addrs, got, err)
		}
	}
}

// TestAnotherHostsUnixSocket must not be taken for one of this host.
func TestAnotherHostsUnixSocket(t *testing.T) {
	s := address.Selector{Interfaces: own, Foreign: true}
	if got, err := s.Preferred(all(t, join(unixA, remote4))); err != nil || got.String() != remote4 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := s.Preferred(all(t, unixA)); !errors.Is(err, address.ErrNone) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOneAddressIsNotLookedUp(t *testing.T) {
	s := address.Selector{Interfaces: func() ([]netip.Addr, error) {
		t.Error("the interfaces were looked up")
		return nil, nil
	}}
	for _, in := range []string{unixA, loop4, remote4, join(remote4, remote4), join(unixA, loop4)} {
		if _, err := s.Preferred(all(t, in)); err != nil {
			t.Error(err)
		}
	}
}

// TestThisHostsInterfaces asks the system.
func TestThisHostsInterfaces(t *testing.T) {
	ifs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, i := range ifs {
		n, ok := i.(*net.IPNet)
		ip, ok2 := netip.AddrFromSlice(n.IP)
		if !ok || !ok2 || ip.IsLoopback() {
			continue
		}
		tried++
		a, err := address.TCP(netip.AddrPortFrom(ip, 80))
		if err != nil {
			t.Fatal(err)
		}
		got, err := address.Selector{}.Preferred([]address.Addr{a, all(t, "/ip4/192.0.2.7/tcp/80")[0]})
		if err != nil || got != a {
			t.Errorf("%v, %v, want %v, of this host", got, err, a)
		}
	}
	if tried == 0 {
		t.Skip("this machine has no interface beside loopback")
	}
}

func TestInterfacesThatCannotBeHad(t *testing.T) {
	s := address.Selector{Interfaces: func() ([]netip.Addr, error) { return nil, errors.New("denied") }}
	if got, err := s.Preferred(all(t, join(loop4, remote4))); err != nil || got.String() != loop4 {
		t.Errorf("%v, %v", got, err)
	}
}
