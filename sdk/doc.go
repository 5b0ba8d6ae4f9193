// Package sdk is for those who write a spawn backend: a method of starting
// children, served by a process of its own.
//
// A backend for local processes is a function from a Spec to a Plan. This is
// all of one that forbids its children to gain privileges:
//
//	type careful struct{ sdk.Unimplemented }
//
//	func (careful) Describe() sdk.Description {
//		return sdk.Description{Key: "careful", Summary: "forkexec without setuid programs", Status: "stable"}
//	}
//
//	func (careful) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
//		p := spawn.Standard(s)
//		p.Insert(spawn.NoNewPrivs())
//		return p, nil
//	}
//
//	func main() { os.Exit(sdk.Main(careful{})) }
//
// Built as spawn-backend-careful and put into a backend folder, it is chosen
// with --spawn-backend=careful. A program that embeds the host can serve it
// from its own binary instead: host.Init(sdk.Entry(careful{})).
//
// # What a backend can rely on
//
// Main sees to the process: descriptors that the host passed on are
// close-on-exec before the backend runs; signals from a terminal do not reach
// it; nothing it prints is mixed into a child's output, descriptor 1 being a
// copy of 2 and both being drained by the host, which gives it to its logger (see
// [Logger]); the variables of the plugin
// protocol are gone from its environment. It ends with its host: about a
// second after the host's death at the latest, asked or not, [Main] returns.
//
// Everything that an error says arrives at the caller, through errors.Is and
// errors.As: return an [spawn.Error], or wrap what the system said. The method
// and the phase are filled in.
//
// A panic ends the process, and that is all right: children do not notice, the
// host starts another and reports the last words.
//
// # What a backend must not do
//
// It starts no local children: the keeper does, by the plan. (A [Spawner] has
// children elsewhere.) It keeps nothing that must survive it: the process can
// be ended at any moment, idle or not.
package sdk
