package spawn

import "testing"

func TestExceeded(t *testing.T) {
	for want, s := range map[string]ExitStatus{
		"signal: killed":                                   {Code: -1, Signal: 9},
		"signal: killed (exceeded: memory)":                {Code: -1, Signal: 9, Exceeded: ExceededMemory},
		"exit status 0 (exceeded: pids)":                   {Exceeded: ExceededPids},
		"exit status 1 (exceeded: memory, wall, cpu_time)": {Code: 1, Exceeded: ExceededMemory | ExceededWall | ExceededCPU},
		"exit status 2 (exceeded: )":                       {Code: 2, Exceeded: 1 << 20},
	} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if names := Exceeded(0).Names(); names == nil || len(names) > 0 {
		t.Errorf("no names: %q", names)
	}
}
