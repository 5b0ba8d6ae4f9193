package forkexec_test

import (
	"errors"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestPlanIsTheStandardOne(t *testing.T) {
	for name, s := range map[string]*spawn.Spec{
		"plain": {Path: "/bin/true"},
		"full": {
			Path: "true", Args: []string{"a"}, Env: []string{}, Dir: "/", Session: true,
			Ignore: []syscall.Signal{syscall.SIGHUP}, NoNewPrivs: true,
			Limits: []spawn.Limit{{Resource: 7, Soft: 1, Hard: spawn.Unlimited}}, Credential: &spawn.Credential{UID: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := forkexec.New().Plan(t.Context(), s)
			if err != nil || !reflect.DeepEqual(p, spawn.Standard(s)) || !p.Reusable {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
}

func TestOptionsAreRefused(t *testing.T) {
	_, err := forkexec.New().Plan(t.Context(), &spawn.Spec{Path: "x", Options: []spawn.Option{{Key: "net", Value: "none"}, {Key: "b"}}})
	e := spawn.AsError(err)
	if !errors.Is(err, spawn.ErrBadOption) || e.Key != forkexec.Key || e.Phase != spawn.PhasePlan {
		t.Errorf("got %#v", err)
	}
	if text := err.Error(); !strings.Contains(text, `"net"`) || !strings.Contains(text, "takes no options") {
		t.Errorf("text: %s", text)
	}
}
