package pluginlog

import (
	"bytes"
	"time"
)

// A stream is one output of a process. The Log's mu guards it.
type stream struct {
	log  *Log
	line []byte // the beginning of one that has no end yet; MaxLine bytes at most
	long bool   // it was longer, and has been added: the rest is passed over
	trouble
}

// Write takes what the process has written.
func (s *stream) Write(b []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.log.over {
		return len(b), nil
	}
	now := time.Now()
	for rest := b; len(rest) > 0; {
		part, behind, whole := bytes.Cut(rest, []byte{'\n'})
		rest = behind
		s.takeLocked(now, part)
		if whole {
			s.endLocked(now)
		}
	}
	return len(b), nil
}

// takeLocked takes a part of a line.
func (s *stream) takeLocked(now time.Time, part []byte) {
	if s.long {
		return
	}
	room := MaxLine - len(s.line)
	s.line = append(s.line, part[:min(len(part), room)]...)
	if len(part) > room {
		s.long = true
		s.addLocked(now, true)
	}
}

// endLocked ends a line.
func (s *stream) endLocked(now time.Time) {
	if !s.long {
		s.addLocked(now, false)
	}
	s.long = false
}

// keptLine is what a stream keeps for lines to come, in bytes.
const keptLine = 1 << 10

func (s *stream) addLocked(now time.Time, cut bool) {
	line := bytes.TrimRight(s.line, "\r")
	if s.line = s.line[:0]; cap(s.line) > keptLine {
		s.line = nil
	}
	if len(line) > 0 {
		s.log.addLocked(now, line, cut, s.crashes(line))
	}
}
