package host

import "time"

// soon calls try, the TryLock of something, until it succeeds, or returns
// false after lockTime.
func soon(try func() bool) bool {
	if try() {
		return true
	}
	tick := time.NewTicker(lockPause) // that a lock is given up is no event
	defer tick.Stop()
	for end := time.Now().Add(lockTime); time.Now().Before(end); {
		<-tick.C
		if try() {
			return true
		}
	}
	return false
}
