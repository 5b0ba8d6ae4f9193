package restart

import (
	"testing"
	"time"
)

func TestDelay(t *testing.T) {
	b := Backoff{Min: 100 * time.Millisecond, Max: time.Second}
	for n, want := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond,
		4: 800 * time.Millisecond, 5: time.Second, 1 << 30: time.Second,
	} {
		if got := b.Delay(n, 0); got != want/2 {
			t.Errorf("after failure %d at least %v, want %v", n, got, want/2)
		}
		if got := b.Delay(n, 0.999999); got > want || got < want*99/100 {
			t.Errorf("after failure %d at most %v, want %v", n, got, want)
		}
	}
}

func TestDelayWithoutBounds(t *testing.T) {
	if d := (Backoff{}).Delay(1<<30, 0.5); d != 0 {
		t.Errorf("the zero Backoff waits %v", d)
	}
	if d := (Backoff{Min: time.Minute, Max: time.Second}).Delay(1, 0.999999); d > time.Second {
		t.Errorf("a minimum above the maximum: %v", d)
	}
	// A maximum near the largest duration must not wrap round.
	if d := (Backoff{Min: time.Hour, Max: 1<<63 - 1}).Delay(200, 0); d <= 0 {
		t.Errorf("it wrapped round: %v", d)
	}
}

func TestIntensity(t *testing.T) {
	i := Intensity{Max: 3, Within: time.Second}
	now := time.Unix(0, 0)
	add := func(after time.Duration) bool {
		now = now.Add(after)
		return i.Add(now)
	}
	for n := range 3 {
		if add(100 * time.Millisecond) {
			t.Fatalf("failure %d of 3 is too many", n+1)
		}
	}
	if !add(100 * time.Millisecond) {
		t.Error("the fourth within a second is borne")
	}
	if add(10 * time.Second) {
		t.Error("old failures count")
	}
	for range 1000 { // one a second is borne for ever, and remembered no longer
		if add(time.Second) {
			t.Fatal("one a second is too many")
		}
	}
	if len(i.times) > 4 || cap(i.times) > 16 {
		t.Errorf("%d failures remembered, room for %d", len(i.times), cap(i.times))
	}
	add(0)
	add(0)
	i.Reset()
	if add(0) || !(&Intensity{}).Add(now) {
		t.Error("Reset has not forgotten, or the zero Intensity bears something")
	}
}
