package failpoint

import "slices"

// A Point is a step at which a process can be made to fail.
type Point string

// The steps of a host.
const (
	HostOpenFolder     Point = "host.open.folder"
	HostOpenStart      Point = "host.open.start"
	HostOpenStarted    Point = "host.open.started"
	HostOpenDone       Point = "host.open.done"
	HostPluginStart    Point = "host.plugin.start"
	HostPluginLaunched Point = "host.plugin.launched"
	HostPluginReady    Point = "host.plugin.ready"
	HostPlanAsk        Point = "host.plan.ask"
	HostPlanSent       Point = "host.plan.sent"
	HostPlanAnswered   Point = "host.plan.answered"
	HostLaunchSend     Point = "host.launch.send"
	HostLaunchSent     Point = "host.launch.sent"
	HostLaunchAnswered Point = "host.launch.answered"
	HostLaunchAbort    Point = "host.launch.abort"
	HostSucceed        Point = "host.succeed"
	HostExit           Point = "host.exit"
	HostHunt           Point = "host.hunt"
	HostDetachReady    Point = "host.detach.ready"
	HostDetachNoted    Point = "host.detach.noted"
	HostDetachDone     Point = "host.detach.done"
	HostAdopt          Point = "host.adopt"
	HostStopAsk        Point = "host.stop.ask"
	HostStopKill       Point = "host.stop.kill"
	HostStopOrphans    Point = "host.stop.orphans"
	HostCloseBegin     Point = "host.close.begin"
	HostClosePlugins   Point = "host.close.plugins"
	HostCloseKeepers   Point = "host.close.keepers"
	HostCloseEnded     Point = "host.close.ended"
	HostCloseFolder    Point = "host.close.folder"
)

// The steps of a keeper.
const (
	KeeperStart          Point = "keeper.start"
	KeeperReady          Point = "keeper.ready"
	KeeperReceived       Point = "keeper.received"
	KeeperRecord         Point = "keeper.record"
	KeeperLaunchBegin    Point = "keeper.launch.begin"
	KeeperLaunchCloned   Point = "keeper.launch.cloned"
	KeeperLaunchEntered  Point = "keeper.launch.entered"
	KeeperLaunchAnswered Point = "keeper.launch.answered"
	KeeperHandBegin      Point = "keeper.hand.begin"
	KeeperHandSent       Point = "keeper.hand.sent"
	KeeperAbort          Point = "keeper.abort"
	KeeperAsk            Point = "keeper.ask"
	KeeperKill           Point = "keeper.kill"
	KeeperTreeStill      Point = "keeper.tree.still"
	KeeperExitPeeked     Point = "keeper.exit.peeked"
	KeeperExitReaped     Point = "keeper.exit.reaped"
	KeeperExitSent       Point = "keeper.exit.sent"
	KeeperClear          Point = "keeper.clear"
	KeeperSweep          Point = "keeper.sweep"
	KeeperDismiss        Point = "keeper.dismiss"
	KeeperEndBegin       Point = "keeper.end.begin"
	KeeperEndAsked       Point = "keeper.end.asked"
	KeeperEndKill        Point = "keeper.end.kill"
	KeeperEndFolder      Point = "keeper.end.folder"
	KeeperEndRemoved     Point = "keeper.end.removed"
	KeeperEndAnswered    Point = "keeper.end.answered"
)

// The steps of a keeper that outlives its host, which has those of a keeper too.
const (
	DetachedPrepare   Point = "detached.prepare"
	DetachedPrepared  Point = "detached.prepared"
	DetachedCommit    Point = "detached.commit"
	DetachedCommitted Point = "detached.committed"
	DetachedExited    Point = "detached.exited"
	DetachedNoted     Point = "detached.noted"
	DetachedEnd       Point = "detached.end"
)

// The steps of a plugin.
const (
	PluginStart     Point = "plugin.start"
	PluginServing   Point = "plugin.serving"
	PluginConnected Point = "plugin.connected"
	PluginSpec      Point = "plugin.spec"
	PluginAnswer    Point = "plugin.answer"
	PluginAnswered  Point = "plugin.answered"
	PluginShutdown  Point = "plugin.shutdown"
	PluginEnd       Point = "plugin.end"

	EarlyStart    Point = "plugin.early.start"
	EarlyHello    Point = "plugin.early.hello"
	EarlySpec     Point = "plugin.early.spec"
	EarlyAnswer   Point = "plugin.early.answer"
	EarlyAnswered Point = "plugin.early.answered"
	EarlyEnd      Point = "plugin.early.end"
)

// An Info says where a step is.
type Info struct {
	Point Point
	Where string
	Fails bool // it can be made to return an error: the code calls Fail

	// After is the step at which another process has to be killed for this one
	// to be reached. Most steps are part of every life.
	After Point
}

// Points returns the table of all steps, in the order of a host's life.
func Points() []Info { return slices.Concat(hostPoints(), keeperPoints(), pluginPoints()) }

func hostPoints() []Info {
	return []Info{
		{Point: HostOpenFolder, Where: "the runtime folder is there, the keeper is not"},
		{Point: HostOpenStart, Where: "a keeper is about to be started", Fails: true},
		{Point: HostOpenStarted, Where: "a keeper was started, and nobody has noted it"},
		{Point: HostOpenDone, Where: "Open is about to return"},
		{Point: HostPluginStart, Where: "a plugin is about to be launched"},
		{Point: HostPluginLaunched, Where: "a plugin runs, and has not said anything"},
		{Point: HostPluginReady, Where: "a plugin has said what it is"},
		{Point: HostPlanAsk, Where: "a plugin is about to be asked for a plan"},
		{Point: HostPlanSent, Where: "the request for a plan is on its way"},
		{Point: HostPlanAnswered, Where: "the plan has come"},
		{Point: HostLaunchSend, Where: "a launch is about to be sent to the keeper", Fails: true},
		{Point: HostLaunchSent, Where: "a launch was sent"},
		{Point: HostLaunchAnswered, Where: "the answer to a launch has come, and nobody has the child yet"},
		{Point: HostLaunchAbort, Where: "a launch is about to be given up"},
		{Point: HostSucceed, Where: "a keeper has a successor, and has not been dismissed"},
		{Point: HostExit, Where: "an exit has come, and nobody was told"},
		{Point: HostHunt, Where: "what a killed keeper has left was found, and was not signalled", After: KeeperKill},
		{Point: HostDetachReady, Where: "a keeper for a detached child is ready, the child is not there"},
		{Point: HostDetachNoted, Where: "it is written down who the child is, which is not detached"},
		{Point: HostDetachDone, Where: "a child is detached, and nobody has been told"},
		{Point: HostAdopt, Where: "a child was adopted, and nobody has noted it"},
		{Point: HostStopAsk, Where: "a child is about to be asked to end"},
		{Point: HostStopKill, Where: "a child is about to be killed"},
		{Point: HostStopOrphans, Where: "what a child has left behind is about to be ended"},
		{Point: HostCloseBegin, Where: "Close has begun"},
		{Point: HostClosePlugins, Where: "the children have ended, the plugins may be there"},
		{Point: HostCloseKeepers, Where: "the plugins have ended, the keeper has not been asked to"},
		{Point: HostCloseEnded, Where: "a keeper has said that it has ended everything, and is there"},
		{Point: HostCloseFolder, Where: "the keepers have ended, the runtime folder may be there"},
	}
}

func keeperPoints() []Info {
	return []Info{
		{Point: KeeperStart, Where: "a keeper runs, and has done nothing"},
		{Point: KeeperReady, Where: "its threads are about to start"},
		{Point: KeeperReceived, Where: "a request has come"},
		{Point: KeeperRecord, Where: "its record is about to be made", Fails: true},
		{Point: KeeperLaunchBegin, Where: "a child is about to be cloned", Fails: true},
		{Point: KeeperLaunchCloned, Where: "a child is its program, and is in no table"},
		{Point: KeeperLaunchEntered, Where: "a child is in the table, the host has no answer"},
		{Point: KeeperLaunchAnswered, Where: "a launch was answered"},
		{Point: KeeperHandBegin, Where: "a child is about to be handed over"},
		{Point: KeeperHandSent, Where: "a process that was ready has been told what to be"},
		{Point: KeeperAbort, Where: "a launch is about to be aborted"},
		{Point: KeeperAsk, Where: "a child stands still, its tree was looked at, and it was not asked to end"},
		{Point: KeeperKill, Where: "a child's tree is about to be killed"},
		{Point: KeeperTreeStill, Where: "a tree stands still, and was not killed"},
		{Point: KeeperExitPeeked, Where: "a child has ended, and was not reaped"},
		{Point: KeeperExitReaped, Where: "a child was reaped, the host was not told"},
		{Point: KeeperExitSent, Where: "the host was told of an exit"},
		{Point: KeeperClear, Where: "what a child has left behind is about to be looked for"},
		{Point: KeeperSweep, Where: "it was found, and is about to be signalled"},
		{Point: KeeperDismiss, Where: "a keeper that has a successor is told so"},
		{Point: KeeperEndBegin, Where: "everything is about to be ended"},
		{Point: KeeperEndAsked, Where: "everything was asked to end"},
		{Point: KeeperEndKill, Where: "what did not listen is about to be killed"},
		{Point: KeeperEndFolder, Where: "nobody is left, the runtime folder is there"},
		{Point: KeeperEndRemoved, Where: "the runtime folder is gone, the host has no answer"},
		{Point: KeeperEndAnswered, Where: "the host has its answer, the keeper is about to exit"},

		{Point: DetachedPrepare, Where: "the folder of a child to be detached is not there", Fails: true},
		{Point: DetachedPrepared, Where: "the folder is there, the host has no answer"},
		{Point: DetachedCommit, Where: "the child runs, and is about to be detached"},
		{Point: DetachedCommitted, Where: "the child is detached, the host has no answer"},
		{Point: DetachedExited, Where: "the child has ended, which is not written down"},
		{Point: DetachedNoted, Where: "it is written down, and nobody was told"},
		{Point: DetachedEnd, Where: "nobody is left, the keeper's socket is there"},
	}
}

func pluginPoints() []Info {
	return []Info{
		{Point: PluginStart, Where: "a plugin runs, and has done nothing"},
		{Point: PluginServing, Where: "it is about to say the handshake"},
		{Point: PluginConnected, Where: "the host is connected, and has asked nothing"},
		{Point: PluginSpec, Where: "a Spec has come", Fails: true},
		{Point: PluginAnswer, Where: "the plan is made, and was not sent"},
		{Point: PluginAnswered, Where: "the plan was sent"},
		{Point: PluginShutdown, Where: "it was asked to end"},
		{Point: PluginEnd, Where: "it is about to exit"},
		{Point: EarlyStart, Where: "a plugin that serves early runs, and has done nothing"},
		{Point: EarlyHello, Where: "it is about to say hello"},
		{Point: EarlySpec, Where: "a Spec has come", Fails: true},
		{Point: EarlyAnswer, Where: "the plan is made, and was not sent"},
		{Point: EarlyAnswered, Where: "the plan was sent"},
		{Point: EarlyEnd, Where: "it is about to exit"},
	}
}
