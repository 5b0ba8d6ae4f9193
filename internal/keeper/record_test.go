//go:build linux

package keeper

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func newTestRecorder(t testing.TB) (*recorder, string) {
	t.Helper()
	path := RecordPath(t.TempDir(), 4711)
	r, err := newRecorder(path, 4711)
	if err != nil {
		t.Fatal(err)
	}
	return r, path
}

func readRecord(t testing.TB, path string) Record {
	t.Helper()
	r, err := ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecord(t *testing.T) {
	r, path := newTestRecorder(t)
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o600 {
		t.Errorf("the file: %v, %v", st, err)
	}
	a := r.add(100, 10, 20)
	r.add(101, 30, 40)
	r.set(childSlots, 102, 5, 35)
	want := Record{Keeper: 4711, Touched: 40, Entries: []Entry{{100, 10, 20, 40, true}, {101, 30, 40, 40, true}, {102, 5, 35, 35, false}}}
	if got := readRecord(t, path); got.Keeper != want.Keeper || got.Touched != want.Touched || !slices.Equal(got.Entries, want.Entries) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	r.drop(a, 50)
	if got := readRecord(t, path); got.Touched != 50 || len(got.Entries) != 2 || got.Entries[0] != (Entry{101, 30, 40, 50, true}) {
		t.Errorf("after an exit: %+v", got)
	}
	if b := r.add(103, 60, 60); b != a {
		t.Errorf("slot %d is not used again: %d", a, b)
	}
}

func TestRecordIsFull(t *testing.T) {
	r, path := newTestRecorder(t)
	for i := range childSlots {
		if slot := r.add(i+1, 1, 1); slot != i+1 {
			t.Fatalf("slot %d, want %d", slot, i+1)
		}
	}
	if slot := r.add(99999, 2, 2); slot != noSlot {
		t.Errorf("slot %d of none", slot)
	}
	r.drop(noSlot, 3)
	if got := readRecord(t, path); got.Missed != 1 || len(got.Entries) != childSlots {
		t.Errorf("%d missed, %d entries", got.Missed, len(got.Entries))
	}
	var none *recorder
	none.drop(none.add(1, 1, 1), 2)
}

func TestReadRecordOfSomethingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, b := range [][]byte{nil, make([]byte, recordSize), make([]byte, recordSize+1)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := ReadRecord(path); err == nil {
			t.Errorf("%d bytes are taken for %+v", len(b), r)
		}
	}
}

// BenchmarkRecord measures what a birth and an exit cost.
func BenchmarkRecord(b *testing.B) {
	r, _ := newTestRecorder(b)
	c := newClock()
	for b.Loop() {
		earliest := c.now()
		r.drop(r.add(100, earliest, c.now()), c.now())
	}
}

func TestClock(t *testing.T) {
	c := newClock()
	if d := newClock().now() - c.now(); d < -time.Millisecond || d > 100*time.Millisecond {
		t.Errorf("two clocks differ by %v", d)
	}
}
