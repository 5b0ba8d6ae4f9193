package linux

import (
	"testing"
	"time"
)

// TestBell: who waits is woken, who comes later does not wait, and nobody waits for
// ever.
func TestBell(t *testing.T) {
	for range 200 {
		var b Bell
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			b.Wait(time.Hour)
		}()
		b.Ring()
		<-woken
		b.Wait(time.Hour)
	}
	new(Bell).Wait(time.Millisecond)
}
