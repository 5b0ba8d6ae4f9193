package isolate_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrograms runs real programs in the default profile, unchanged.
func TestPrograms(t *testing.T) {
	h := openHost(t)
	for _, tt := range []struct {
		needs  string // programs, and files that begin with a slash
		script string
		want   string // the end of what it says
	}{
		{"bash", `bash -c 'a=(1 2 3); echo "${a[@]}" > >(cat); wait; diff <(echo a) <(echo b); trap "echo bye" EXIT; (sleep 0.01 & wait)'`, "bye\n"},
		{"tar", `mkdir /tmp/t && cd /tmp/t && echo x >a && ln -s a b && tar cf ../t.tar . && tar tf ../t.tar | sort | tail -1`, "./b\n"},
		{"sqlite3", `cd /tmp && sqlite3 x.db 'pragma journal_mode=wal; create table t(a); insert into t values(7); select a from t'`, "7\n"},
		{"git", `cd /tmp && git init -q a && cd a && git -c user.name=n -c user.email=e commit -q --allow-empty -m m && git clone -q /tmp/a /tmp/b && git -C /tmp/b log --format=%s`, "m\n"},
		{"gcc", `cd /tmp && echo 'int main(){return 42;}' >a.c && gcc -o a a.c && ./a; echo $?`, "42\n"},
		{"python3", `python3 -c 'import multiprocessing as m, sqlite3, socket, ssl
with m.Pool(2) as p: print(sum(p.map(abs, range(-3, 0))))'`, "6\n"},
		{"python3 curl", `cd /tmp && echo hello >f && python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 & for i in 1 2 3 4 5 6 7 8 9; do curl -s http://127.0.0.1:8123/f && break; sleep 0.3; done`, "hello\n"},
		{"node", `node -e 'require("child_process").execFile("echo", ["ok"], (e, out) => process.stdout.write(out))'`, "ok\n"},
	} {
		t.Run(tt.needs, func(t *testing.T) {
			for _, p := range strings.Fields(tt.needs) {
				if _, err := exec.LookPath(p); err != nil {
					t.Skip(err)
				}
			}
			c := shell(h, tt.script)
			c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/tmp"}
			if out, err := c.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), tt.want) {
				t.Errorf("%v, want %q at the end of\n%s", err, tt.want, out)
			}
		})
	}
}

// TestPostgreSQL makes a database, starts its server, asks it and stops it. It does
// not run as root, so root is somebody else inside.
func TestPostgreSQL(t *testing.T) {
	h := openHost(t)
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("needs PostgreSQL in /usr/lib/postgresql: ", err)
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	c := shell(h, `exec 3>&1 >/tmp/log 2>&1
initdb -D /tmp/data -U me --auth=trust --no-sync &&
pg_ctl -D /tmp/data -o "-k /tmp -c listen_addresses=127.0.0.1" -w start &&
psql -h 127.0.0.1 -U me -d postgres -Atc "select sum(i) from generate_series(1, 10) i" >&3 &&
psql -h /tmp -U me -d postgres -Atc "create table t (a int); insert into t values (7); select a from t" >&3 &&
pg_ctl -D /tmp/data -m fast -w stop || { cat /tmp/log >&3; exit 1; }`, "uid=65534", "gid=65534") // nobody, who has a name
	c.Env = []string{"PATH=" + filepath.Dir(found[len(found)-1]) + ":/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", "PGTZ=UTC"}
	if out, err := c.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "55\n") || !strings.HasSuffix(string(out), "7\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

var heavy = flag.Bool("heavy", false, "run what takes minutes")

// TestPythonsOwnTests runs some of Python's own tests, without those that become
// another user, as there is no other, and one that fails where a site module imports
// threading.
func TestPythonsOwnTests(t *testing.T) {
	h := openHost(t)
	if !*heavy {
		t.Skip("takes minutes: -heavy")
	}
	if err := exec.Command("python3", "-c", "import test.test_json").Run(); err != nil {
		t.Skip("needs Python with its tests: ", err)
	}
	for _, name := range []string{"test_json", "test_re", "test_subprocess", "test_threading"} {
		t.Run(name, func(t *testing.T) {
			c := shell(h, "cd /tmp && python3 -m test -i test_user -i test_group -i test_import_from_another_thread "+name+" 2>&1 | tail -30")
			c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/tmp", "LANG=C.UTF-8"}
			if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "Result: SUCCESS") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestGoBuild builds a program with the host's Go and a cache of its own.
func TestGoBuild(t *testing.T) {
	h := openHost(t)
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("builds the standard library's part of a program")
	}
	cache := t.TempDir()
	c := shell(h, `mkdir /tmp/p && cd /tmp/p && printf 'module p\ngo 1.21\n' >go.mod && printf 'package main\nfunc main() { println("built") }\n' >p.go && go build -o p . && ./p`,
		"bind="+cache+":/tmp/cache:rw")
	c.Env = []string{"PATH=" + filepath.Dir(goTool) + ":" + os.Getenv("PATH"), "HOME=/tmp", "GOCACHE=/tmp/cache", "GOTOOLCHAIN=local", "GOFLAGS=-mod=mod"}
	if out, err := c.CombinedOutput(); err != nil || string(out) != "built\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
