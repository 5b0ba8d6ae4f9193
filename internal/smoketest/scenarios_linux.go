package smoketest

import "slices"

// roles are what a process can be that is started for a scenario.
func roles() map[string]role {
	return map[string]role{
		"forker": forker, "doer": doer, "hanger": hanger,
		"echoer": echoer, "exiter": exiter, "waiter": waiter, "pauser": pauser,
		"owner": owner, "orphan": orphan, "leaver": leaver, "filler": filler, "freezer": freezer, "leader": leader, "helper": helper,
		"host": host, "loader": loader, "crasher": crasher,
		"parked": parked, "launcher": launcher,
	}
}

// scenarios is the table: what belongs to one analysis stands together.
func scenarios() []Scenario {
	return slices.Concat(goForkScenarios(), otherScenarios(), hangScenarios())
}

// noFork are the ways in which the child of a control is not what it should be.
func noFork() []string { return []string{byExec, byHanger, byIdle} }

func goForkScenarios() []Scenario {
	return []Scenario{
		{
			Name: "control_go_fork_gc", Kind: Control, Analysis: "go_fork", Sabotage: noFork(),
			Expected: "a forked Go child that allocates until memory has to be collected hangs",
			run:      goFork("gc"),
		},
		{
			Name: "control_go_fork_goroutine", Kind: Control, Analysis: "go_fork", Sabotage: noFork(),
			Expected: "a forked Go child that asks a goroutine with a thread of its own gets no answer",
			run:      goFork("goroutine"),
		},
		{
			Name: "control_go_fork_timer", Kind: Control, Analysis: "go_fork", Sabotage: noFork(),
			Expected: "a forked Go child that sleeps for a millisecond does not wake up",
			run:      goFork("timer"),
		},
		{
			Name: "fork_then_exec_only", Kind: Baseline, Analysis: "go_fork", Sabotage: []string{noExec},
			Expected: "the child of the same fork that executes a program at once works",
			run:      forkThenExec,
		},
		{
			Name: "vfork_step_list", Kind: Replacement, Analysis: "go_fork", Sabotage: []string{missingProgram},
			Expected: "children made by vfork and a list of system calls work, and the Go process that makes them goes on meanwhile",
			run:      stepList,
		},
		{
			Name: "parked_pool_handoff", Kind: Replacement, Analysis: "go_fork", Sabotage: []string{emptyPool},
			Expected: "Go processes that were started in advance do a job as soon as they are handed it",
			run:      parkedPool,
		},
		{
			Name: "full_architecture", Kind: Replacement, Analysis: "go_fork", Sabotage: []string{keeperKilled},
			Expected: "a keeper makes workers, reports the exit of one that was handed a job, and ends the other",
			run:      architecture,
		},
	}
}

// otherScenarios are those of the other dead ends.
func otherScenarios() []Scenario {
	return []Scenario{
		{
			Name: "control_goroutine_kill", Kind: Control, Analysis: "goroutine", Sabotage: []string{outside},
			Expected: "a signal that is to kill a goroutine's thread kills the whole process",
			run:      goroutineKill,
		},
		{
			Name: "control_plugin_so_crash", Kind: Control, Analysis: "plugin_so", Sabotage: []string{outside},
			Expected: "a backend that crashes inside the host ends the host, and one in a process of its own does not",
			run:      pluginCrash,
		},
		{
			Name: "zygote_single_thread_fork", Kind: Baseline, Analysis: "cgo_zygote", Sabotage: []string{goZygote},
			Expected: "a program with a single thread forks children that have its memory and need no exec",
			run:      zygoteFork,
		},
	}
}

// hangScenarios are those of the hangs that Hatchery was built against.
func hangScenarios() []Scenario {
	return []Scenario{
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
		{
			Name: "stopped_plugin_kill", Kind: Control, Analysis: "unbounded_grace", Sabotage: []string{notStopped},
			Expected: "a stopped process answers neither a message nor SIGTERM, and SIGKILL ends it",
			run:      stoppedPluginKill,
		},
		{
			Name: "control_held_stdio", Kind: Control, Analysis: "held_stdio", Sabotage: []string{notHeld},
			Expected: "the output of a process that has ended stays open while a child of it has it",
			run:      heldStdio,
		},
		{
			Name: "control_inherited_channel", Kind: Control, Analysis: "parked_parent", Sabotage: []string{closeOnExec},
			Expected: "the channel to a child that has ended stays open while a sibling has inherited it",
			run:      inheritedChannel,
		},
		{
			Name: "orphan_sigint", Kind: Control, Analysis: "orphan_sigint", Sabotage: []string{bound, unbound},
			Expected: "SIGINT does not end an orphan that leaves it to its owner, and ends one that has seen its owner end",
			run:      orphanSigint,
		},
		{
			Name: "control_full_pipe", Kind: Control, Analysis: "full_pipe", Sabotage: []string{drained},
			Expected: "a process that writes more than a pipe takes does not end before it is read",
			run:      fullPipe,
		},
		{
			Name: "control_vfork_freeze", Kind: Control, Analysis: "vfork_freeze", Sabotage: []string{givesUp},
			Expected: "a thread that waits for a vfork child keeps its processor from all goroutines",
			run:      vforkFreeze,
		},
		{
			Name: "control_ctrl_z_leader", Kind: Control, Analysis: "ctrl_z_leader", Sabotage: []string{groupOfOwn, groupOfLeader},
			Expected: "Ctrl-Z stops a session leader for good when its helper is in another process group, and not when it is in the leader's",
			run:      ctrlZ,
		},
	}
}
