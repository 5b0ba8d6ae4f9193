package smoketest

// roles are what a process can be that is started for a scenario.
func roles() map[string]role {
	return map[string]role{
		"forker": forker, "doer": doer, "hanger": hanger,
		"echoer": echoer, "exiter": exiter, "waiter": waiter,
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
		{
			Name: "control_pdeathsig_thread", Kind: Control, Analysis: "pdeathsig_thread", Sabotage: []string{threadLives},
			Expected: "a child with PR_SET_PDEATHSIG is killed when the thread that started it ends, while its parent lives",
			run:      pdeathsigThread,
		},
		{
			Name: "locked_spawner_thread", Kind: Replacement, Analysis: "pdeathsig_thread", Sabotage: []string{ownThread},
			Expected: "a child that a thread started which lives on outlives whoever asked for it",
			run:      lockedSpawner,
		},
		{
			Name: "control_wait_all_steals", Kind: Control, Analysis: "stolen_status", Sabotage: []string{waitsForOne},
			Expected: "a loop of wait4(-1) takes the exit status of a child that os/exec waits for",
			run:      waitAllSteals,
		},
	}
}
