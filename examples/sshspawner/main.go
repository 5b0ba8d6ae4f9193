// Command sshspawner serves the spawn method "ssh": its children run on another
// machine, which it reaches by OpenSSH.
//
//	$ go build -o ~/.local/share/hatchery/backends/spawn-backend-ssh ./sshspawner
//	$ hatchery run --spawn-backend=ssh --opt host=build.example.com -- make -j8
//
// It is an example of a spawner, a backend whose children are no local processes,
// and uses the public packages alone. docs/writing-a-backend.md goes through it.
//
// # What it needs
//
// Here: ssh(1) of OpenSSH, and a host that it can log in to without asking. There:
// Linux, a login shell that says nothing by itself, and perl(1), nothing of it
// installed: a shell cannot tell a program that a signal has ended from one that
// exits with 128 and its number, nor one that could not be started from one that
// exits with 127.
//
// # How it works
//
// One ssh process holds a connection (connection.go), and what it runs there first
// is the relay (remote/relay.pl). Each child is one more session of the same
// connection, asked for on ssh's control socket (mux.go): the descriptors 0, 1 and
// 2 of the Spec are handed to ssh, so that no byte of them passes through here. What
// runs in the session is the agent (remote/agent.pl). It is told over the relay
// what to start, whatever bytes that has, since nothing of it stands on a command
// line; it is the parent of the program, so what it says of the end is what the
// kernel said; and everything that the program leaves behind becomes its child.
//
// # What ends how
//
// SIGKILL for a child is for everything below it, daemons included. When the plugin
// ends, or its host, or the connection, the relay ends there, every agent sees that,
// and ends what is below it: SIGTERM, and SIGKILL a second or two later. A cut that
// nobody reports is noticed on both sides by silence, after three times the option
// alive. Here the child is then reported as lost, with the reason: how it ended, if
// it has, nobody knows.
//
// What cannot be found there is what root has put beyond the user's reach (a setuid
// program cannot be killed by who started it), and everything, if the agent itself
// is killed with SIGKILL.
//
// The end of a child is told when its output has arrived, or a moment after it if
// something that it has left behind still holds that. Options, limits: options.go.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() { os.Exit(sdk.Main(new(backend))) }
