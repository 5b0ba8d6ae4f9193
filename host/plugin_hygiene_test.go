//go:build linux

package host_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func itoa(n int) string { return strconv.Itoa(n) }

// pluginOf returns the pid of the one process under the one keeper.
func pluginOf(t *testing.T) int {
	t.Helper()
	plugins := linux.Children(keeperOf(t))
	if len(plugins) != 1 {
		t.Fatalf("under the keeper: %v, want the plugin alone", plugins)
	}
	return plugins[0]
}

// environment returns what a dump says, sorted.
func environment(t *testing.T, dump string) []string {
	t.Helper()
	b, err := os.ReadFile(dump + ".env")
	must(t, err)
	env := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	slices.Sort(env)
	return env
}

// descriptors returns what a dump says: each number, and what kind of thing it
// leads to.
func descriptors(t *testing.T, dump string) []string {
	t.Helper()
	b, err := os.ReadFile(dump + ".fds")
	must(t, err)
	var out []string
	for _, line := range strings.Split(string(b), "\n") {
		if link, target, ok := strings.Cut(line, " -> "); ok {
			kind, _, _ := strings.Cut(target, ":")
			out = append(out, link[strings.LastIndex(link, " ")+1:]+" "+kind)
		}
	}
	slices.Sort(out)
	return out
}

// dumpDir is a folder that every process of the user can write to.
func dumpDir(t *testing.T) string { return filepath.Join(backendDir(t), "dump") }

// pollute gives this process what no plugin may inherit.
func pollute(t *testing.T) {
	t.Helper()
	t.Setenv("PLUGIN_CLIENT_CERT", "of an outer program")
	t.Setenv("PLUGIN_UNIX_SOCKET_GROUP", "of an outer program")
	t.Setenv("HATCHERY_PLUGIN_COOKIE", "of an outer program")
	t.Setenv("MARK", "the host's own")
	leak, err := syscall.Open("/dev/zero", syscall.O_RDONLY, 0) // without O_CLOEXEC
	must(t, err)
	t.Cleanup(func() { syscall.Close(leak) })
}

// TestWhatAPluginHas looks at a plugin from its first instruction, by a script
// that goes on as the plugin.
func TestWhatAPluginHas(t *testing.T) {
	pollute(t)
	dump := dumpDir(t)
	path := filepath.Join(backendDir(t), "spawn-backend-x")
	script(t, path, "#!/bin/sh\n"+dumpScript(dump)+"exec "+pluginBinary(t, backendDir(t), "x")+"\n")
	runs(t, hostOf(t, registry.Entry{Key: "x", Path: path}))

	// The interpreter has opened the script once more, somewhere from 10 on.
	got := slices.DeleteFunc(descriptors(t, dump), func(s string) bool { return s == "10 "+path })
	want := []string{"0 /dev/null", "1 pipe", "2 pipe", "3 pipe", "4 socket", "5 " + path}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("descriptors (-want +got)\n", d)
	}
	ours := map[string]bool{"HATCHERY_PLUGIN_COOKIE": true, "PLUGIN_UNIX_SOCKET_DIR": true, "PLUGIN_PROTOCOL_VERSIONS": true,
		"PLUGIN_MIN_PORT": true, "PLUGIN_MAX_PORT": true}
	var rest []string
	for _, kv := range environment(t, dump) {
		k, v, _ := strings.Cut(kv, "=")
		if strings.Contains(v, "of an outer program") {
			t.Errorf("it has %q", kv)
		}
		if !ours[k] {
			rest = append(rest, kv)
		}
	}
	if d := cmp.Diff(hostsOwn(), rest); d != "" {
		t.Error("environment (-host +plugin)\n", d)
	}
}

// hostsOwn is this process's environment without the plugin protocol, sorted.
func hostsOwn() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PLUGIN_") || strings.HasPrefix(kv, "HATCHERY_PLUGIN_")
	})
	slices.Sort(env)
	return env
}

// TestWhatAChildOfAPluginHas: a process that a backend starts by itself gets
// nothing of the protocol, neither variables nor descriptors.
func TestWhatAChildOfAPluginHas(t *testing.T) {
	pollute(t)
	for _, kind := range []string{"binary", "script"} {
		t.Run(kind, func(t *testing.T) {
			dump := dumpDir(t)
			path := pluginBinary(t, backendDir(t), "x")
			if kind == "script" {
				real := path
				path = filepath.Join(backendDir(t), "spawn-backend-x")
				script(t, path, "#!/bin/sh\nexec "+real+"\n")
			}
			h := hostOf(t, registry.Entry{Key: "x", Path: path})
			spec := sh("true")
			spec.Options = []spawn.Option{{Key: "dump", Value: dump}}
			_, err := h.Plan(t.Context(), "x", spec)
			must(t, err)
			if d := cmp.Diff([]string{"0 /dev/null", "1 pipe", "2 pipe"}, descriptors(t, dump)); d != "" {
				t.Error("descriptors (-want +got)\n", d)
			}
			got := slices.DeleteFunc(environment(t, dump), func(kv string) bool { return strings.HasPrefix(kv, "PWD=") || strings.HasPrefix(kv, "_=") })
			want := slices.DeleteFunc(hostsOwn(), func(kv string) bool { return strings.HasPrefix(kv, "PWD=") || strings.HasPrefix(kv, "_=") })
			if d := cmp.Diff(want, got); d != "" {
				t.Error("environment (-host +child)\n", d)
			}
		})
	}
}

// TestWhatAChildByAPluginHas: the children that the host starts by an external
// method have what was asked for, and nothing else.
func TestWhatAChildByAPluginHas(t *testing.T) {
	pollute(t)
	h := hostOf(t, registry.Entry{Key: "x", Path: pluginBinary(t, backendDir(t), "x")})
	extra, err := os.Open("/dev/full")
	must(t, err)
	defer extra.Close()
	for _, env := range [][]string{nil, {"A=1"}, {}} {
		dump := dumpDir(t)
		cmd := h.Command("/bin/sh", "-c", dumpScript(dump))
		if cmd.ExtraFiles = []*os.File{nil, extra}; env != nil {
			cmd.Env = append(env, "PATH="+os.Getenv("PATH"))
		}
		must(t, cmd.Run())
		want := slices.Sorted(slices.Values(cmd.Env))
		if env == nil {
			want = slices.Sorted(slices.Values(os.Environ()))
		}
		if d := cmp.Diff(want, environment(t, dump)); d != "" {
			t.Errorf("environment %q (-want +got)\n%s", env, d)
		}
		if d := cmp.Diff([]string{"0 /dev/null", "1 /dev/null", "2 /dev/null", "4 /dev/full"}, descriptors(t, dump)); d != "" {
			t.Error("descriptors (-want +got)\n", d)
		}
	}
}

// TestTheCommandsBinary builds one of the plugin binaries of this repository
// and uses it as one does.
func TestTheCommandsBinary(t *testing.T) {
	dir := backendDir(t)
	path := filepath.Join(dir, "spawn-backend-forkexec")
	build := exec.Command(program(t, "go"), "build", "-o", path, "../cmd/spawn-backend-forkexec")
	build.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("the go command cannot build here, for want of its caches perhaps: %v\n%s", err, out)
	}
	must(t, os.Chmod(path, 0o755))
	pin := checksum(t, path)
	writeLock(t, dir, "forkexec linux/"+arch()+" "+string(pin)+"\nforkexec summary as pinned\n")
	entries, skipped := host.Discover([]string{dir})
	if len(entries) != 1 || entries[0].Summary != "as pinned" || len(skipped) > 0 {
		t.Fatalf("found %v, skipped %v", entries, skipped)
	}
	h := hostOf(t, entries[0])
	runs(t, h)
	e, err := h.Describe(t.Context(), "forkexec")
	if err != nil || e.Status != registry.Stable || e.Summary == "as pinned" {
		t.Errorf("it says %v, %v", e, err)
	}
	killPlugin(t)
	if _, err := h.Plan(t.Context(), "forkexec", fresh(1)); err != nil {
		t.Errorf("restarted: %v", err)
	}
	dump := dumpDir(t)
	must(t, h.Command("/bin/sh", "-c", dumpScript(dump)).Run())
	if d := cmp.Diff([]string{"0 /dev/null", "1 /dev/null", "2 /dev/null"}, descriptors(t, dump)); d != "" {
		t.Error("descriptors (-want +got)\n", d)
	}
}
