// Package bench measures what it costs to start a child by each method, side
// by side with package os/exec and, where it is installed, bubblewrap: the
// whole of hatchery bench but for its flags and its progress bar.
//
//	r, err := bench.Run(ctx, bench.Config{Host: h, Methods: keys, Time: 30 * time.Second})
//	err = r.Print(os.Stdout)
//
// # How it measures
//
// All methods start the same program in the same process in the same run. The
// time is cut into rounds, in each of which every method has its turn with
// every program and every number of callers, a slice of some milliseconds each,
// and each round begins with another method. So what happens to the machine
// meanwhile happens to all of them, and ratios can be believed where
// microseconds cannot. A ratio is that of the medians, or of the throughputs,
// of all rounds; its spread is that of the ratios within the rounds.
//
// Where the method forkserver is among them, it is measured as well how soon the
// code of programs runs that it has ready, beside what people use otherwise.
//
// A method that is blocked, does not work here, or fails while it is being
// measured is a row with the reason.
//
// # Limits
//
// The callers are goroutines of one process, which is what a program that
// starts children looks like; what they cost is in the result. Where there is no
// tiny program for the system, only others are measured. What a child itself
// uses of the processors is its own affair and not told.
package bench
