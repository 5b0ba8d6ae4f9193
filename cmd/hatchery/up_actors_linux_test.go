package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/discovery"
)

// An actor that starts and does not register: who waits for it says so, and everything
// is stopped.
func TestUpWithAnActorThatDoesNotRegister(t *testing.T) {
	path := upTable(t, anActor(t, "mute", "start_timeout = '1s'")+forever("b", "")+"after = ['mute']\n")
	s := beginUp(t, path)
	pid, err := strconv.Atoi(s.until(`hatchery: mute: up \(process (\d+)\)$`))
	if err != nil {
		t.Fatal(err)
	}
	text := s.isOver(codeTimedOut)
	gone(t, pid)
	if !strings.Contains(text, `hatchery: b: it comes after "mute": not up within 1s (start_timeout): that has started, and has not registered`) || strings.Contains(text, "b is") {
		t.Error(text)
	}
}

// One that ends before somebody has found it: who comes after it need not wait for
// the time to be over.
func TestUpWithAnActorThatEndsUnregistered(t *testing.T) {
	s := beginUp(t, upTable(t, anActor(t, "brief", "start_timeout = '5m'")+forever("b", "")+"after = ['brief']\n"))
	if text := s.isOver(codeFailed); !strings.Contains(text, `hatchery: b: it comes after "brief": that has ended, and is not registered`) {
		t.Error(text)
	}
}

// The registrar, and actors that are told of it, are started anew when their part of
// the table has changed, and else left alone.
func TestUpReadsActorsAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "r")
	table := func(registrar, arg string) string {
		return registrar + anActor(t, "member", "args = ['"+arg+"']") + strings.Replace(anActor(t, "member", ""), "service.member", "service.same", 1)
	}
	path := upTable(t, table("", "one"))
	s := beginUp(t, path)
	registrar, member, same := s.upPid("registrar"), s.upPid("member"), s.upPid("same")

	rewrite(t, path, table("", "two"))
	s.signal(syscall.SIGHUP)
	other := s.upPid("member")
	gone(t, member)
	s.until("member +. two$")
	if !alive(registrar) || !alive(same) {
		t.Errorf("a change of one actor: the registrar is alive: %v, another actor is: %v", alive(registrar), alive(same))
	}

	rewrite(t, path, table("[registrar]\nbind = ['/unix"+socket+"']\n", "two"))
	s.signal(syscall.SIGHUP)
	gone(t, registrar, other, same)
	all := []int{s.upPid("registrar"), s.upPid("member"), s.upPid("same")}
	if _, err := os.Stat(socket); err != nil {
		t.Error("the registrar is not at its new address: ", err)
	}

	rewrite(t, path, forever("command", ""))
	s.signal(syscall.SIGHUP)
	gone(t, all...)
	if _, err := os.Stat(socket); err == nil {
		t.Error("the registrar has left its socket")
	}
	command := s.pidOf("command")
	s.signal(syscall.SIGINT)
	s.isOver(128 + 2)
	gone(t, command)
}

// upPid waits until a service is up.
func (s *upSession) upPid(name string) int {
	s.t.Helper()
	pid, err := strconv.Atoi(s.until(`hatchery: ` + name + `: up \(process (\d+)\)$`))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// anActor is the table of a service of the actors below, with more in it.
func anActor(t *testing.T, name, more string) string {
	t.Helper()
	path, err := exec.LookPath("an-actor")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[service.%[1]s]\nactor = '%[1]s'\nprogram = ['%[2]s']\n%[3]s\n", name, path, more)
}

// actorMain is the program of actors: one that nobody can find, one that ends as well,
// and one that is registered and says what its arguments are.
func actorMain() {
	idle := func(ctx context.Context, _ *actor.Actor) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	var m *discovery.Member
	join := func(ctx context.Context, a *actor.Actor) (_ []string, err error) {
		if m, err = discovery.Join(ctx, a, discovery.Config{}); err != nil {
			return nil, err
		}
		fmt.Println(strings.Join(a.Args, " "))
		return m.Addresses(), nil
	}
	p := actor.Program{Entries: map[string]actor.Entry{
		"mute":  {Run: idle},
		"brief": {Run: func(context.Context, *actor.Actor) error { return nil }},
		"member": {Setup: join, Run: func(ctx context.Context, a *actor.Actor) error {
			defer m.Close()
			return idle(ctx, a)
		}},
	}}
	os.Exit(p.Main())
}
