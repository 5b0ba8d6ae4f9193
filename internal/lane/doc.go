// Package lane sends frames with descriptors over a connected Unix socket: the
// way between a host and its keeper, and between a host and a plugin.
//
//	a, b, err := lane.Pair()
//	// b goes to the other process; this one keeps a
//	c, err := lane.Open(a, lane.Polled)
//	err = c.Send(&lane.Frame{Type: 1, ID: 7, Payload: plan, FDs: []int{0, 1, 2}})
//	var f lane.Frame
//	err = c.Recv(&f)
//
// A frame is a type, a number chosen by the sender, up to 64 MiB of payload and
// up to 250 descriptors. What types and numbers mean is agreed elsewhere.
//
// # Guarantees
//
//   - A frame arrives whole and once, or not at all, and in the order sent.
//   - Descriptors arrive close-on-exec, with no moment in which a fork could
//     inherit them.
//   - Whatever a peer sends, Recv does not panic and does not leak a descriptor:
//     garbage is an error that matches [ErrFrame], and the frame after it is
//     received as usual. (On a stream there is no telling where that would be:
//     see below. There alone can a peer keep Recv waiting within a frame.)
//   - The death of the peer is io.EOF, after all that it had sent has been
//     received. SIGPIPE is never raised.
//   - With small frames, neither Send nor Recv allocates.
//
// # On the wire
//
// A header of sixteen bytes, little endian, is followed by the payload:
//
//	0  type     1 byte
//	1  flags    1 byte   bit 0: the payload is in a memfd; the others are zero
//	2  nfds     2 bytes  descriptors of the frame, the memfd not counted
//	4  length   4 bytes  of the payload
//	8  id       8 bytes
//
// On a SOCK_SEQPACKET socket a frame is one message with at most one SCM_RIGHTS
// control message. A payload over 64 KiB (or one that does not fit into the
// socket's buffer) travels in a memfd, which is the first descriptor and comes
// on top of the 250. It carries the seals SHRINK, GROW, WRITE and SEAL, and the
// receiver checks them and the size before it reads: what is sealed cannot
// change or vanish under the reader.
//
// On a SOCK_STREAM socket, for systems that have no SEQPACKET or no memfd, the
// same header is followed by the payload whatever its size, and the descriptors
// are attached to the header's first byte. There a malformed frame, or a frame
// cut short by the peer's death, is reported once; the connection is then shut
// down, since what follows cannot be told from noise.
//
// # What this package is not
//
// It knows no requests and answers, no time limits and no window: a Send waits
// when the socket's buffer is full, and the number of frames in flight is the
// caller's affair (Linux counts descriptors in flight against RLIMIT_NOFILE of
// an unprivileged sender and refuses more with ETOOMANYREFS). It does not find
// or authenticate peers: whoever holds the other end is trusted with as much as
// the types of frames allow.
package lane
