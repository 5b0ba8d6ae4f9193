package restart

import "time"

// A Backoff is a delay that doubles from Min to Max.
type Backoff struct {
	Min, Max time.Duration
}

// Delay returns how long to wait after the n-th failure in a row, n counted
// from 1: Min doubled n-1 times, at most Max, and of that a part between half
// and the whole, which chance, a number in [0, 1), chooses. Those who failed
// together, because of one cause, so do not come back together.
func (b Backoff) Delay(n int, chance float64) time.Duration {
	d := max(b.Min, 0)
	for ; n > 1 && 0 < d && d < b.Max; n-- {
		if d > b.Max/2 {
			d = b.Max
		} else {
			d *= 2
		}
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(chance*float64(d-d/2))
}
