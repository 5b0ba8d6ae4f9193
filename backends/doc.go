// Package backends is the list of the spawn methods that come with Hatchery,
// those that are known not to work among them.
//
// A program that embeds the host serves them from its own binary:
//
//	func main() {
//		host.Init(backends.Builtin()...)
//		…
//	}
//
// Each is also a plugin binary of its own, cmd/spawn-backend-KEY, for hosts
// that want to build none of them in. There is nothing here but the list: a
// method lives in its own folder, and knows of no other.
package backends
