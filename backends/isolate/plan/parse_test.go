package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func options(t *testing.T, args ...string) []spawn.Option {
	t.Helper()
	var list []spawn.Option
	for _, a := range args {
		o, err := spawn.ParseOption(a)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	return list
}

func id(n uint32) *uint32 { return &n }

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want Options
	}{
		{nil, Options{}},
		{[]string{"profile=host", "net=host", "seccomp=kill"}, Options{Profile: ProfileHost, HostNetwork: true, Seccomp: FilterKill}},
		{[]string{"net=none", "net=none"}, Options{}},
		{[]string{"root=/srv/x", "overlay=true"}, Options{Root: "/srv/x", Overlay: true}},
		{[]string{"profile=root", "root=/srv/x"}, Options{Profile: ProfileRoot, Root: "/srv/x"}},
		{[]string{"hostname=cell", "uid=0", "gid=4294967294"}, Options{Hostname: "cell", UID: id(0), GID: id(4294967294)}},
		{[]string{"landlock=exec:/usr", "landlock=rw:/a:b", "landlock=bind:0", "landlock=connect:443", "landlock=scope"}, Options{Landlock: []LandlockRule{
			{Allow: LandlockExec, Path: "/usr"}, {Allow: LandlockWrite, Path: "/a:b"}, {Allow: LandlockBind}, {Allow: LandlockConnect, Port: 443}, {Allow: LandlockScope},
		}}},
		{[]string{"seccomp=/a/b.json"}, Options{Seccomp: FilterFile("/a/b.json")}},
		{[]string{"seccomp=bpf:/a/b"}, Options{Seccomp: FilterProgram("/a/b")}},
		{[]string{"clock=monotonic:1h", "clock=boottime:-1.5s"}, Options{Monotonic: time.Hour, Boottime: -1500 * time.Millisecond}},
		{[]string{"ids=100000:65536", "uid=1000"}, Options{IDs: IDRange{100000, 65536}, UID: id(1000)}},
		{[]string{"keep_env=A,B", "keep_env=all"}, Options{KeepEnv: []string{"A", "B", "all"}}},
		{[]string{"best_effort=landlock,cgroup", "best_effort=cgroup"}, Options{BestEffort: []Layer{LayerLandlock, LayerCgroup}}},
		{[]string{"bind=/a", "tmpfs=/b", "bind=/c:/d:rw", "bind=/e:ro", "tmpfs=/f:64m", `bind=/g\:h:/i`, "bind=/rw:/rw:rw"}, Options{Mounts: []Mount{
			{Source: "/a", Target: "/a"}, {Target: "/b"}, {Source: "/c", Target: "/d", Write: true}, {Source: "/e", Target: "/e"},
			{Target: "/f", Size: "64m"}, {Source: "/g:h", Target: "/i"}, {Source: "/rw", Target: "/rw", Write: true},
		}}},
	} {
		got, err := Parse(options(t, tt.args...))
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", tt.args, err, diff)
		}
		again, err := Parse(got.List())
		if diff := cmp.Diff(got, again); diff != "" || err != nil {
			t.Errorf("%q: there and back: %v\n%s", tt.args, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"profil=host"}, `did you mean "profile"?`},
		{[]string{"keepenv=A"}, `did you mean "keep_env"?`},
		{[]string{"Bind=/a"}, `did you mean "bind"?`},
		{[]string{"xyzzy=1"}, "want one of profile, root"},
		{[]string{"profile=hots"}, `did you mean "host"?`},
		{[]string{"profile=vm"}, "want one of host, empty, root"},
		{[]string{"seccomp=of"}, "did you mean \"off\"?"},
		{[]string{"net=bridge"}, "want one of none, host"},
		{[]string{"net=none", "net=host"}, "given twice"},
		{[]string{"root=/a", "root=/b"}, "given twice"},
		{[]string{"root=a"}, "absolute path"},
		{[]string{"root=/a/../b"}, "absolute path"},
		{[]string{"root="}, "want an absolute path"},
		{[]string{"root=/"}, "profile=host"},
		{[]string{"root=/a", "profile=host"}, "contradict"},
		{[]string{"root=/a", "profile=empty"}, "contradict"},
		{[]string{"profile=root"}, "root=DIR"},
		{[]string{"overlay=true"}, "overlay needs root=DIR"},
		{[]string{"overlay=maybe"}, "true or false"},
		{[]string{"uid=-1"}, "want at least 0"},
		{[]string{"gid=4294967295"}, "want at most 4294967294"},
		{[]string{"uid="}, "want an integer"},
		{[]string{"hostname="}, "want a name"},
		{[]string{"hostname=" + strings.Repeat("x", 65)}, "1 to 64"},
		{[]string{"hostname=a b"}, "without space"},
		{[]string{"bind=a"}, "absolute path"},
		{[]string{"bind="}, "SRC"},
		{[]string{"bind=:/a"}, "SRC"},
		{[]string{"bind=/a:b"}, "absolute path"},
		{[]string{"bind=/a:/b/"}, "absolute path"},
		{[]string{"bind=/a:/b:rx"}, "SRC[:DST]"},
		{[]string{"bind=/a:/"}, "not the root"},
		{[]string{"bind=/a:/proc/sys"}, "nothing can be put into /proc"},
		{[]string{"tmpfs=/proc"}, "nothing can be put into /proc"},
		{[]string{"tmpfs=/a:12x"}, "size"},
		{[]string{"tmpfs=/a:0"}, "size"},
		{[]string{"tmpfs=/a:-5m"}, "size"},
		{[]string{"tmpfs=/a:1:2"}, "DST[:SIZE]"},
		{[]string{"seccomp=a.json"}, "or the absolute path of a profile"},
		{[]string{"seccomp=/a/../b"}, "without . and .."},
		{[]string{"seccomp=bpf:b"}, "the absolute path"},
		{[]string{"clock=5s"}, "want monotonic:OFFSET"},
		{[]string{"clock=boottime:5"}, "want monotonic:OFFSET"},
		{[]string{"clock=realtime:5s"}, "want monotonic:OFFSET"},
		{[]string{"clock=boottime:5s", "clock=boottime:6s"}, "want one"},
		{[]string{"ids=100000"}, "want FIRST:COUNT"},
		{[]string{"ids=100000:0"}, "want FIRST:COUNT"},
		{[]string{"ids=-1:5"}, "want FIRST:COUNT"},
		{[]string{"ids=0:5"}, "0 is root's"},
		{[]string{"ids=4294967290:6"}, "its last id has to be 4294967294 or less"},
		{[]string{"ids=100000:10", "uid=10"}, "from 0 to 9"},
		{[]string{"ids=100000:10", "gid=10"}, "from 0 to 9"},
		{[]string{"ids=100000:10", "clock=boottime:1s"}, "contradicts clock"},
		{[]string{"landlock=r:/a"}, "want ro:PATH, exec:PATH, rw:PATH"},
		{[]string{"landlock=exce:/a"}, `did you mean "exec"?`},
		{[]string{"landlock=ro"}, "want ro:PATH"},
		{[]string{"landlock=ro:a"}, "want ro:PATH"},
		{[]string{"landlock=rw:/a/../b"}, "without . and .."},
		{[]string{"landlock=bind"}, "bind:PORT"},
		{[]string{"landlock=bind:65536"}, "bind:PORT"},
		{[]string{"landlock=connect:http"}, "connect:PORT"},
		{[]string{"landlock=connect:0"}, "connect:PORT"},
		{[]string{"landlock=scope:x"}, "scope or off"},
		{[]string{"landlock=off", "landlock=scope"}, "contradicts"},
		{[]string{"landlock=scope", "landlock=off"}, "contradicts"},
		{[]string{"best_effort="}, "want cgroup, landlock, io"},
		{[]string{"best_effort=cgroup,"}, `did you mean "cgroup"?`},
		{[]string{"best_effort=cgroups"}, `did you mean "cgroup"?`},
		{[]string{"best_effort=seccomp"}, "want cgroup, landlock, io"},
		{[]string{"keep_env="}, "name of a variable"},
		{[]string{"keep_env=A=B"}, "name of a variable"},
	} {
		_, err := Parse(options(t, tt.args...))
		if !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want a bad option and %q", tt.args, err, tt.want)
		}
	}
}
