package up

import (
	"bufio"
	"errors"
	"os"
	"time"
)

// maxLine is how long a line of a service may be, in bytes. What is longer goes on
// in the next.
const maxLine = 4 << 10

// lastOutput is how long the end of a process waits for the end of its output.
const lastOutput = 200 * time.Millisecond

// An output is what one process writes, to its standard output and error alike. It
// is read as fast as it is shown, and no faster: a service that floods is held up by
// its own pipe.
type output struct {
	read chan struct{} // closed when nothing is read any more
}

// output returns the output of a process of a service, and what that is to write to,
// which the caller closes.
func (d *display) output(name string) (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	o := &output{read: make(chan struct{})}
	d.readers.Go(func() {
		defer close(o.read)
		defer r.Close()
		stop := make(chan struct{})
		defer close(stop)
		go func() { // somebody may have the other end who is not to be waited for
			select {
			case <-d.closing:
				r.SetReadDeadline(time.Now().Add(lastOutput))
			case <-stop:
			}
		}()
		in := bufio.NewReaderSize(r, maxLine)
		var rest []byte // of a character that was cut up
		for {
			line, err := in.ReadSlice('\n')
			if len(rest) > 0 {
				line, rest = append(rest, line...), nil
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				line, rest = wholeCharacters(line)
			}
			if len(line) > 0 && !d.line(name, line) {
				return
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
		}
	})
	return o, w, nil
}

// finish waits for what the process wrote last. It may be that somebody else writes
// on, or that it is not read.
func (o *output) finish() {
	if o == nil {
		return
	}
	timer := time.NewTimer(lastOutput)
	defer timer.Stop()
	select {
	case <-o.read:
	case <-timer.C:
	}
}
