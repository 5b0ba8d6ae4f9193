package wire

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// A handshakeReader gives go-plugin the first line that the plugin writes to
// the handshake pipe, and no more: the rest is read and dropped, so that a
// plugin which goes on writing is neither blocked nor believed.
type handshakeReader struct {
	file *os.File      // closed by the runner
	over chan struct{} // closed when nothing more is read

	mu       sync.Mutex
	line     []byte // what was read up to the end of the first line
	complete bool   // the line has its end
	finished bool   // over is closed
}

// maxLine is how long a handshake line can be, in bytes.
const maxLine = 4096

func newHandshakeReader() *handshakeReader {
	return &handshakeReader{over: make(chan struct{})}
}

// Read returns the bytes of the first line as they come, and io.EOF at the end
// of the pipe or when the line is longer than any handshake.
func (h *handshakeReader) Read(p []byte) (int, error) {
	for !h.tooLong() {
		n, err := h.file.Read(p)
		if keep := h.keep(p[:n]); keep > 0 {
			return keep, nil
		}
		if err != nil {
			break
		}
	}
	h.finish()
	return 0, io.EOF
}

// keep records b as far as it belongs to the first line, and returns how much
// that is.
func (h *handshakeReader) keep(b []byte) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.complete {
		return 0
	}
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b, h.complete = b[:i+1], true
	}
	b = b[:min(len(b), maxLine-len(h.line))]
	h.line = append(h.line, b...)
	return len(b)
}

func (h *handshakeReader) tooLong() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.complete && len(h.line) == maxLine
}

// finish notes that nothing more is read.
func (h *handshakeReader) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.finished {
		h.finished = true
		close(h.over)
	}
}

// Close does nothing: the runner closes the pipe.
func (h *handshakeReader) Close() error { return nil }

// first returns the line as far as it was read, without its end, and whether
// anything was read at all.
func (h *handshakeReader) first() (line string, any bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.TrimRight(string(h.line), "\r\n"), len(h.line) > 0
}

// versions returns the version of go-plugin's own protocol and the API version
// that the line has, if it has the form of a handshake line:
// CORE|API|network|address|…
func versions(line string) (core, api int, ok bool) {
	parts := strings.Split(line, "|")
	if len(parts) < 4 {
		return 0, 0, false
	}
	core, coreErr := strconv.Atoi(parts[0])
	api, apiErr := strconv.Atoi(parts[1])
	return core, api, coreErr == nil && apiErr == nil
}
