package pluginlog

import "time"

// A bucket of tokens: it holds burst at most, begins full, and gets rate more a
// second.
type bucket struct {
	rate, burst float64
	tokens      float64
	last        time.Time // when tokens was right; zero before the first
}

// take takes a token, if there is one.
func (b *bucket) take(now time.Time) bool {
	if b.last.IsZero() {
		b.tokens = b.burst
	} else if since := now.Sub(b.last).Seconds(); since > 0 {
		b.tokens = min(b.burst, b.tokens+since*b.rate)
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
