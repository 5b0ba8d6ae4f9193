package smoketest

// roles are what a process can be that is started for a scenario.
func roles() map[string]role {
	return map[string]role{
		"forker": forker, "doer": doer, "hanger": hanger,
	}
}

// scenarios is the table, by the analyses.
func scenarios() []Scenario {
	noFork := []string{byExec, byHanger, byIdle}
	return []Scenario{
		{
			Name: "control_go_fork_gc", Kind: Control, Analysis: "go_fork", Sabotage: noFork,
			Expected: "a forked Go child that allocates until memory has to be collected hangs",
			run:      goFork("gc"),
		},
		{
			Name: "control_go_fork_goroutine", Kind: Control, Analysis: "go_fork", Sabotage: noFork,
			Expected: "a forked Go child that asks a goroutine with a thread of its own gets no answer",
			run:      goFork("goroutine"),
		},
		{
			Name: "control_go_fork_timer", Kind: Control, Analysis: "go_fork", Sabotage: noFork,
			Expected: "a forked Go child that sleeps for a millisecond does not wake up",
			run:      goFork("timer"),
		},
		{
			Name: "fork_then_exec_only", Kind: Baseline, Analysis: "go_fork", Sabotage: []string{noExec},
			Expected: "the child of the same fork that executes a program at once works",
			run:      forkThenExec,
		},
	}
}
