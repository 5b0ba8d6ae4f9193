package address_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/multiformats/go-multiaddr"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

func TestCanonicalText(t *testing.T) {
	for text, want := range map[string]string{
		"/ip4/127.0.0.1/tcp/1234":        "",
		"/ip6/::1/tcp/5678":              "",
		"/unix/tmp/t/s.sock":             "",
		"/unix/a":                        "",
		"/unix/tmp/t/ip4/tcp":            "",
		"/unix/tmp/ünï code/%2f":         "",
		"/ip4/0.0.0.0/tcp/0":             "",
		"/ip4/255.255.255.255/tcp/65535": "",
		"/unix//tmp//t/./s.sock/":        "/unix/tmp/t/s.sock",
		"/ip4/127.0.0.1/tcp/01616":       "/ip4/127.0.0.1/tcp/1616",
		"/ip4/127.0.0.1/tcp/1616//":      "/ip4/127.0.0.1/tcp/1616",
		"/ip6/2001:DB8:0:0::1/tcp/80":    "/ip6/2001:db8::1/tcp/80",
		"/ip6/::ffff:10.0.0.7/tcp/80":    "/ip4/10.0.0.7/tcp/80",
	} {
		if want == "" {
			want = text
		}
		a, err := address.Parse(text)
		if err != nil || a.String() != want {
			t.Errorf("%s is %s, %v, want %s", text, a, err, want)
		}
	}
}

func TestWhatIsNoAddress(t *testing.T) {
	for text, why := range map[string]string{
		"":                                      "empty",
		"/":                                     `protocol ""`,
		"127.0.0.1:80":                          "slash",
		"ip4/127.0.0.1/tcp/80":                  "slash",
		"/ip4/127.0.0.1/udp/1234":               `"udp"`,
		"/ip4/127.0.0.1":                        "without a port",
		"/ip4/127.0.0.1/":                       "without a port",
		"/ip4/127.0.0.1/tcp":                    "no port",
		"/ip4/127.0.0.1/tcp/99999":              `no port "99999"`,
		"/ip4/127.0.0.1/tcp/-1":                 `no port "-1"`,
		"/ip4/127.0.0.1/tcp/+80":                `no port "+80"`,
		"/ip4/127.0.0.1/tcp/0x50":               `no port "0x50"`,
		"/ip4/127.0.0.1/tcp/80/http":            `"http"`,
		"/ip4/127.0.0.1/tcp/80/unix/x":          `"unix"`,
		"/ip4/127.0.0.256/tcp/80":               `"127.0.0.256"`,
		"/ip4/127.0.0.01/tcp/80":                `"127.0.0.01"`,
		"/ip4/::1/tcp/80":                       "/ip4",
		"/ip6/127.0.0.1/tcp/80":                 "/ip6",
		"/ip6/fe80::1%eth0/tcp/80":              "zone",
		"/ip6zone/eth0/ip6/fe80::1/tcp/80":      `"ip6zone"`,
		"/ip4//tcp/80":                          `""`,
		"/dns4/localhost/tcp/80":                `"dns4"`,
		"/tcp/80":                               `"tcp"`,
		"/nosuch/x":                             `"nosuch"`,
		"/unix":                                 "empty path",
		"/unix/":                                "empty path",
		"/unix//./":                             "empty path",
		"/unix/tmp/../x":                        `".."`,
		"/unix/a\x00b":                          "NUL",
		"/unix/\xff":                            "not UTF-8",
		"/unix/" + strings.Repeat("x", 10_000):  "10006 bytes",
		"/" + strings.Repeat("\t", 3000) + "/x": "cannot be used",
		"/ip4/1.2.3.4/tcp/" + strings.Repeat("\t", 3000): "no port",
		"/ip4/" + strings.Repeat("\t", 3000) + "/tcp/80": "no address of /ip4",
		" /unix/x": "slash",
	} {
		a, err := address.Parse(text)
		if err == nil || a.IsValid() {
			t.Errorf("%.40q is %v", text, a)
			continue
		}
		for _, part := range []string{why, "/unix/PATH", "/ip4/ADDRESS/tcp/PORT", "/ip6/ADDRESS/tcp/PORT"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%.40q: %v: does not say %q", text, err, part)
			}
		}
		if len(text) < 100 && !strings.Contains(err.Error(), strings.Trim(strings.ToValidUTF8(text, ""), "\x00\xff")) && !strings.ContainsAny(text, "\x00\xff") {
			t.Errorf("%q: %v: does not quote it", text, err)
		}
		if !errors.Is(err, syscall.EINVAL) || len(err.Error()) > 1000 {
			t.Errorf("%.40q: %.100v: want a short EINVAL", text, err)
		}
	}
}

// TestTheNotation compares with the library whose notation this is.
func TestTheNotation(t *testing.T) {
	for _, text := range []string{"/ip4/127.0.0.1/tcp/1234", "/ip6/::1/tcp/5678", "/unix/tmp/t/s.sock", "/ip6/2001:db8::1/tcp/80", "/ip4/1.2.3.4/tcp/007"} {
		agree(t, text)
	}
}

// agree holds that go-multiaddr takes what is an address, and means the same.
func agree(t *testing.T, text string) {
	t.Helper()
	a, err := address.Parse(text)
	if err != nil {
		return
	}
	m, err := multiaddr.NewMultiaddr(a.String())
	if err != nil || m.String() != a.String() {
		t.Errorf("%q is %q to go-multiaddr, %v", a, m, err)
	}
	whole, err := multiaddr.NewMultiaddr(text)
	if err != nil {
		t.Errorf("%q is nothing to go-multiaddr: %v", text, err)
		return
	}
	if again, err := address.Parse(whole.String()); again != a {
		t.Errorf("%q is %v, and by way of go-multiaddr %v, %v", text, a, again, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"/ip4/127.0.0.1/tcp/1234", "/ip6/::ffff:1.2.3.4/tcp/05678", "/unix//tmp/./s.sock/", "/unix/../x", "/ip4/1.2.3.4/udp/1", "/dns/x/tcp/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := address.Parse(text)
		if (err == nil) != a.IsValid() {
			t.Fatalf("%q: %v, %v", text, a, err)
		}
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if again, err := address.Parse(a.String()); again != a || err != nil {
			t.Fatalf("%q is %v, and that %v, %v", text, a, again, err)
		}
		agree(t, text)
	})
}

func TestTheSameAddressWrittenInOtherWays(t *testing.T) {
	parsed := func(a address.Addr, err error) address.Addr {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, same := range [][]address.Addr{
		{
			parsed(address.Parse("/ip4/127.0.0.1/tcp/80")), parsed(address.Pair("127.0.0.1", 80)), parsed(address.Pair("LocalHost", 80)),
			parsed(address.Pair("::ffff:127.0.0.1", 80)), parsed(address.TCP(netip.MustParseAddrPort("[::ffff:127.0.0.1]:80"))),
		},
		{parsed(address.Parse("/ip6/0:0:0:0:0:0:0:1/tcp/80")), parsed(address.Pair("::1", 80))},
		{parsed(address.Parse("/unix/a/b")), parsed(address.Unix("/a/b")), parsed(address.Unix("//a/./b/"))},
	} {
		for _, a := range same {
			if a != same[0] {
				t.Errorf("%v is not %v", a, same[0])
			}
		}
	}
}

func TestPairsThatAreNone(t *testing.T) {
	for _, p := range []struct {
		host string
		port int64
		why  string
	}{
		{"127.0.0.1", 99999, "99999"}, {"127.0.0.1", -1, "-1"}, {"example.org", 80, "not looked up"}, {"", 80, "not looked up"},
		{"fe80::1%eth0", 80, "zone"}, {"/run/x", 80, "not looked up"},
	} {
		if a, err := address.Pair(p.host, p.port); err == nil || !strings.Contains(err.Error(), p.why) || !strings.Contains(err.Error(), p.host) {
			t.Errorf("%v: %v, %v", p, a, err)
		}
	}
	if _, err := address.Unix("relative"); err == nil || !strings.Contains(err.Error(), "not absolute") {
		t.Error("a relative path: ", err)
	}
	if _, err := address.TCP(netip.AddrPort{}); err == nil {
		t.Error("no address at all is one")
	}
}

func TestTheTextForms(t *testing.T) {
	var got struct{ A []address.Addr }
	if err := json.Unmarshal([]byte(`{"A":["/unix//x","/ip4/1.2.3.4/tcp/080"]}`), &got); err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(got); err != nil || string(b) != `{"A":["/unix/x","/ip4/1.2.3.4/tcp/80"]}` {
		t.Errorf("%s, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"A":["/udp"]}`), &got); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a bad one: %v", err)
	}
}

func TestReachable(t *testing.T) {
	for text, want := range map[string]bool{
		"/unix/x": true, "/ip4/127.0.0.1/tcp/1": true, "/ip4/127.0.0.1/tcp/0": false, "/ip4/0.0.0.0/tcp/80": false, "/ip6/::/tcp/80": false,
	} {
		a, err := address.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Reachable(); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if (address.Addr{}).Reachable() == nil {
		t.Error("none at all is reachable")
	}
}
