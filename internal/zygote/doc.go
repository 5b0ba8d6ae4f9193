// Package zygote is what a keeper and a process that was made ready ahead say to
// each other: frames on a stream socket, with descriptors.
//
// A zygote is started with [Variable] in its environment, which is the number of
// its end of the channel. It says [Ready] and waits. A zygote of the kind pool is
// told once what to be, and is that from then on:
//
//	ch, err := zygote.Inherit(os.Getenv(zygote.Variable))
//	ch.Send(nil, zygote.Ready, zygote.Pool, zygote.Version)
//	fields, fds, err := ch.Recv()
//	run, err := zygote.ParseRun(fields)
//	…                                     // descriptors, directory, limits …
//	report := zygote.Open(fds[0])
//	report.Send(nil, zygote.Started)
//
// One of the kind fork makes a process for each [Make] that it is told, as a
// sibling of its own (CLONE_PARENT in clone(2)), and goes on. That process has a
// channel of its own, and is from its birth one of the kind pool.
//
// A frame is the length of its payload, four bytes, the lowest first, and the
// payload: fields with a NUL byte between them. That is all there is to it, so
// that it can be spoken in any language; docs/protocol.md says the rest.
//
// # What it is not
//
// It makes no processes and applies no settings. It needs Linux for the kind
// fork; a pool needs nothing but a system that passes descriptors over sockets.
package zygote
