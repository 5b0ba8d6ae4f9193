package backendtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func identityCases() []Case {
	return []Case{{
		Name: "groups",
		Doc: "A child joins the host's process group and session, leads a group of its own, or joins an existing one, as Spec.Group " +
			"says; with Spec.Session it leads a session. It is so before the program runs, so that no signal to the group misses it.",
		Needs: []Ability{Programs, Local, Groups},
		Run:   groups,
	}, {
		Name: "credentials",
		Doc: "With Spec.Credential all of the child's user and group ids, the saved ones included, are the given ones; its supplementary " +
			"groups are those given, or none, or the host's, and never a forgotten gid 0. It has no capability left. Needs root.",
		Needs: []Ability{Programs, Local, Credentials},
		Run:   credentials,
	}}
}

// job is what a process belongs to.
type job struct{ pid, group, session int }

// jobOf returns what a child that runs the job script belongs to.
func (e *Env) jobOf(t T, what string, spec spawn.Spec) job {
	t.Helper()
	words := strings.Fields(e.output(t, what, spec))
	if len(words) != 3 {
		t.Fatalf("%s: it says %q", what, words)
	}
	n := make([]int, 3)
	for i, w := range words {
		n[i], _ = strconv.Atoi(w)
	}
	return job{n[0], n[1], n[2]}
}

const jobScript = "exec cut -d' ' -f1,5,6 /proc/self/stat"

func groups(t T, e *Env) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatalf("%v", err)
	}
	// Behind the name, which may have anything in it: state, parent, group, session.
	words := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	group, _ := strconv.Atoi(words[2])
	session, _ := strconv.Atoi(words[3])

	spec := sh(jobScript)
	if got := e.jobOf(t, "a child", spec); got.group != group || got.session != session {
		t.Errorf("a child of the host's group: %+v, want the group %d and the session %d", got, group, session)
	}
	spec.Group = spawn.NewGroup
	if got := e.jobOf(t, "a child with a group", spec); got.group != got.pid || got.session != session {
		t.Errorf("a child with a group of its own: %+v, want the session %d", got, session)
	}
	spec.Group, spec.Session = spawn.HostGroup, true
	if got := e.jobOf(t, "a child with a session", spec); got.group != got.pid || got.session != got.pid {
		t.Errorf("a child with a session of its own: %+v", got)
	}
	leader := e.leader(t)
	spec.Session, spec.Group = false, leader.Pid()
	if got := e.jobOf(t, "a child that joins a group", spec); got.group != leader.Pid() || got.session != session {
		t.Errorf("a child that joins the group %d: %+v", leader.Pid(), got)
	}
}

// leader starts a child that leads a group until the case is over.
func (e *Env) leader(t T) *host.Process {
	t.Helper()
	spec := sh("exec sleep 60")
	spec.Group = spawn.NewGroup
	return e.mustStart(t, "the leader of a group", spec)
}

func credentials(t T, e *Env) {
	if os.Geteuid() != 0 {
		t.Skipf("only root may change the identity of a child, and this is user %d", os.Geteuid())
	}
	host := fields(readFile(t, "/proc/self/status"))
	for name, tt := range map[string]struct {
		credential spawn.Credential
		groups     string
	}{
		"no supplementary groups":         {spawn.Credential{UID: 12345, GID: 23456}, ""},
		"some supplementary groups":       {spawn.Credential{UID: 12345, GID: 23456, Groups: []uint32{7, 65533}}, "7 65533"},
		"the host's supplementary groups": {spawn.Credential{UID: 12345, GID: 23456, KeepGroups: true}, host["Groups"]},
	} {
		spec := sh(statusScript)
		spec.Credential = &tt.credential
		got := e.status(t, name, spec)
		uid, gid := fmt.Sprint(tt.credential.UID), fmt.Sprint(tt.credential.GID)
		for field, want := range map[string]string{
			"Uid": four(uid), "Gid": four(gid), "Groups": tt.groups,
			"CapPrm": "0000000000000000", "CapEff": "0000000000000000",
		} {
			if got[field] != want {
				t.Errorf("%s: %s is %q, want %q", name, field, got[field], want)
			}
		}
	}
}

// four is how the kernel shows the real, effective, saved and file system id.
func four(id string) string { return strings.Join([]string{id, id, id, id}, " ") }

func readFile(t T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}
