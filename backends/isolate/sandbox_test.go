package isolate_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// openHost opens a host that has the method, and skips where it does not work.
func openHost(t *testing.T) *host.Host {
	t.Helper()
	reg, err := registry.New(sdk.Entry(isolate.New()))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(host.Config{Registry: reg, Method: isolate.Key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := h.Select(t.Context(), isolate.Key); errors.Is(err, spawn.ErrUnavailable) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return h
}

// shell returns a command that runs a script in a sandbox.
func shell(h *host.Host, script string, opts ...string) *host.Cmd {
	c := h.Command("/bin/sh", "-c", script)
	c.Dir = "/"
	for _, o := range opts {
		k, v, _ := strings.Cut(o, "=")
		c.Spec.Options = append(c.Spec.Options, spawn.Option{Key: k, Value: v})
	}
	return c
}

// system are the folders of the host that a shell needs in an empty root.
func system() []string {
	var opts []string
	for _, dir := range []string{"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/usr"} {
		if _, err := os.Stat(dir); err == nil {
			opts = append(opts, "bind="+dir)
		}
	}
	return opts
}

// TestProgramThatIsNotInside: that it is there outside helps nobody to see why it is
// not found.
func TestProgramThatIsNotInside(t *testing.T) {
	err := shell(openHost(t), "", "profile=empty").Run()
	if e := spawn.AsError(err); !errors.Is(err, os.ErrNotExist) || e.Phase != spawn.PhaseExec || !strings.Contains(err.Error(), "/bin/sh: it is not in the sandbox") {
		t.Errorf("%v", err)
	}
}

// TestSandbox runs a script in each kind of sandbox and compares what it says.
func TestSandbox(t *testing.T) {
	h := openHost(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := append([]string{"profile=empty"}, system()...)
	for _, tt := range []struct {
		name, script string
		opts         []string
		want         string
	}{
		{"it has process 1 and is the second", `echo $$; cat /proc/1/comm`, nil, "2\ninit\n"},
		{"it cannot look into process 1", `for f in maps mem environ fd/0; do (exec 3</proc/1/$f) 2>/dev/null && echo $f; done; echo ok`, nil, "ok\n"},
		{"it sees no process of the host", `ls /proc | grep -c '^[1-9]' | sed 's/^[3-6]$/few/'`, nil, "few\n"},
		{"it has no capability and cannot gain one", `grep -E '^(Cap|NoNewPrivs)' /proc/self/status`, nil,
			"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"},
		{"the host's files are read-only", `for d in / /usr /etc /var; do touch $d/x 2>/dev/null && echo $d; done; cat /etc/hostname >/dev/null && echo ok`, nil, "ok\n"},
		{"its own folders are empty and can be written", `for d in /tmp /var/tmp /run /dev/shm; do ls -A $d; touch $d/x && echo $d; done`, nil, "/tmp\n/var/tmp\n/run\n/dev/shm\n"},
		{"its devices", `ls /dev; echo x >/dev/null; head -c 3 /dev/zero | wc -c; touch /dev/x 2>/dev/null || echo sealed`, nil,
			"fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n3\nsealed\n"},
		{"its terminals are its own", `ls /dev/pts`, nil, "ptmx\n"},
		{"what of /proc is the machine's is read-only", `for f in sys/kernel/hostname sys/kernel/core_pattern sysrq-trigger; do (echo x >/proc/$f) 2>/dev/null && echo $f; done; echo ok`, nil, "ok\n"},
		{"loopback is up and there is no other", `cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '; cat /proc/net/if_inet6 | wc -l`, nil, "lo\n1\n"},
		{"the host's network", `ls -l /proc/self/ns/net | grep -c "$NET"`, []string{"net=host"}, "1\n"},
		{"a name", `cat /proc/sys/kernel/hostname`, []string{"hostname=cell"}, "cell\n"},
		{"ids", `id -u; id -g`, []string{"uid=123", "gid=456"}, "123\n456\n"},
		{"a bind", `cat /tmp/d/f; touch /tmp/d/x 2>/dev/null || echo read-only`, []string{"bind=" + dir + ":/tmp/d"}, "content\nread-only\n"},
		{"a bind to write", `echo more >/tmp/d/g; cat /tmp/d/g`, []string{"bind=" + dir + ":/tmp/d:rw"}, "more\n"},
		{"a bind of a file", `cat /tmp/a/f`, []string{"bind=" + dir + "/f:/tmp/a/f"}, "content\n"},
		{"a bind over a private folder's file", `cat ` + dir + `/f`, []string{"bind=" + dir}, "content\n"},
		{"a folder that is hidden", `ls -A /usr/share; touch /usr/share/x; ls /usr/share`, []string{"tmpfs=/usr/share:1m"}, "x\n"},
		{"an empty root", `ls / | grep -vE '^(bin|lib.*|usr)$'; touch /x 2>/dev/null || echo sealed`, empty, "dev\nproc\ntmp\nsealed\n"},
		{"a bind deep in an empty root", `cat /a/b/c/f; touch /a/x 2>/dev/null || echo sealed`, append(empty, "bind="+dir+":/a/b/c"), "content\nsealed\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := shell(h, tt.script, tt.opts...)
			net, err := os.Readlink("/proc/self/ns/net")
			if err != nil {
				t.Fatal(err)
			}
			c.Env = []string{"PATH=/usr/bin:/bin", "NET=" + strings.Trim(net, "net:[]")}
			out, err := c.CombinedOutput()
			if err != nil || string(out) != tt.want {
				t.Errorf("%v\n got %q\nwant %q", err, out, tt.want)
			}
		})
	}
	if b, err := os.ReadFile(filepath.Join(dir, "g")); string(b) != "more\n" || err != nil {
		t.Errorf("the host sees %q, %v", b, err)
	}
}

// TestRoot gives a child a root from a folder of the host.
func TestRoot(t *testing.T) {
	h := openHost(t)
	root := t.TempDir()
	var binds []string
	for _, dir := range []string{"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "tmp", "usr"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	binds = append(binds, system()...)
	c := shell(h, `ls /; touch /etc/x 2>/dev/null || echo read-only`, append(binds, "root="+root)...)
	if out, err := c.CombinedOutput(); err != nil || string(out) != "bin\ndev\netc\nlib\nlib32\nlib64\nlibx32\nproc\ntmp\nusr\nread-only\n" {
		t.Errorf("%q, %v", out, err)
	}
	c = shell(h, `mkdir /new && echo x >/etc/x && cat /etc/x`, append(binds, "root="+root, "overlay=true")...)
	if out, err := c.CombinedOutput(); err != nil || string(out) != "x\n" {
		t.Errorf("with an overlay: %q, %v", out, err)
	}
	if left, err := filepath.Glob(root + "/etc/*"); len(left) > 0 || err != nil {
		t.Errorf("the folder has now %q, %v", left, err)
	}
}

// TestEnvironment: a child whose Spec has none gets a small one and what it is
// to keep; one that is given is what the child gets.
func TestEnvironment(t *testing.T) {
	h := openHost(t)
	t.Setenv("SECRET", "x")
	t.Setenv("KEPT", "y z")
	t.Setenv("TERM", "dumb")
	t.Setenv("TZ", "UTC")
	const own = "HOME=/tmp\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=dumb\nTZ=UTC\n"
	for _, tt := range []struct {
		opts []string
		env  []string
		want string
	}{
		{nil, nil, own},
		{[]string{"keep_env=KEPT,MISSING"}, nil, strings.Replace(own, "LANG", "KEPT=y z\nLANG", 1)},
		{nil, []string{"A=b"}, "A=b\n"},
		{nil, []string{}, ""},
	} {
		c := h.Command("/usr/bin/env")
		c.Dir, c.Env = "/", tt.env
		c.Spec.Options = shell(h, "", tt.opts...).Spec.Options
		out, err := c.Output()
		lines := slices.Sorted(strings.Lines(string(out)))
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "PWD=") })
		if got := strings.Join(lines, ""); err != nil || got != tt.want {
			t.Errorf("%q, %q: %v\n got %q\nwant %q", tt.opts, tt.env, err, got, tt.want)
		}
	}
	c := h.Command("/usr/bin/env")
	c.Dir, c.Spec.Options = "/", []spawn.Option{{Key: "keep_env", Value: "all"}}
	if out, err := c.Output(); err != nil || !strings.Contains(string(out), "SECRET=x\n") {
		t.Errorf("all: %q, %v", out, err)
	}
}

// TestDirectory: a child starts where the host is, if that is in the sandbox.
func TestDirectory(t *testing.T) {
	h := openHost(t)
	for _, tt := range []struct {
		at, dir string
		opts    []string
		want    string
	}{
		{"/usr", "", nil, "/usr\n"},
		{"/usr", "bin", nil, "/usr/bin\n"},
		{"/usr", "/etc", nil, "/etc\n"},
		{"/usr", "", append([]string{"profile=empty"}, system()...), "/\n"},
		{"/etc", "/usr", append([]string{"profile=empty"}, system()...), "/usr\n"},
		{"/etc", "", append([]string{"profile=empty"}, system()...), "/\n"},
	} {
		t.Chdir(tt.at)
		c := shell(h, "pwd", tt.opts...)
		c.Dir = tt.dir
		if out, err := c.Output(); err != nil || string(out) != tt.want {
			t.Errorf("at %s, %q, %q: %q, %v, want %q", tt.at, tt.dir, tt.opts, out, err, tt.want)
		}
	}
	hidden := t.TempDir()
	t.Chdir(hidden)
	c := shell(h, "true")
	c.Dir = ""
	var e *spawn.Error
	if err := c.Run(); !errors.Is(err, os.ErrNotExist) || !errors.As(err, &e) || e.Path != hidden || !strings.Contains(e.Msg, "--dir") {
		t.Errorf("a directory that is not there: %v", err)
	}
}
