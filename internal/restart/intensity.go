package restart

import "time"

// An Intensity counts failures within a sliding time.
type Intensity struct {
	Max    int // this many are borne; 0: none
	Within time.Duration

	times []time.Time // of the failures that still count, oldest first
}

// Add counts a failure. It reports whether there have been more than Max
// within the time that ends now.
func (i *Intensity) Add(now time.Time) (exceeded bool) {
	from := 0
	for from < len(i.times) && now.Sub(i.times[from]) >= i.Within {
		from++
	}
	i.times = append(i.times[:copy(i.times, i.times[from:])], now)
	return len(i.times) > i.Max
}

// Reset forgets all failures.
func (i *Intensity) Reset() { i.times = i.times[:0] }
