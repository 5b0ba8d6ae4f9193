package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantile(t *testing.T) {
	for _, tc := range []struct {
		sorted []float64
		q      float64
		want   float64
	}{
		{nil, 0.5, 0}, {[]float64{7}, 0.99, 7}, {[]float64{1, 2, 3}, 0.5, 2}, {[]float64{1, 2, 3, 4, 5}, 0, 1},
		{[]float64{1, 2, 3, 4, 5}, 1, 5}, {[]float64{1, 2, 3, 4, 5}, 0.9, 5},
	} {
		if got := quantile(tc.sorted, tc.q); got != tc.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", tc.sorted, tc.q, got, tc.want)
		}
	}
}

// times makes a slice of starts that took so many milliseconds, one after the
// other.
func times(ms ...int) (s slice) {
	for _, n := range ms {
		s.took = append(s.took, time.Duration(n)*time.Millisecond)
		s.wall += time.Duration(n) * time.Millisecond
	}
	return s
}

func TestRatio(t *testing.T) {
	one, four := &way{each: 1}, &way{each: 4}
	base := &cell{way: one, slices: []slice{times(5, 1, 2), times(10, 10), times(4)}} // medians 2, 10, 4; of all: 5
	for name, tc := range map[string]struct {
		c    *cell
		m    measure
		want *Ratio
	}{
		"medians":                       {&cell{way: one, slices: []slice{times(4), times(10), times(2)}}, medianOf, &Ratio{0.8, 0.5, 2}},
		"throughput":                    {&cell{way: one, slices: []slice{times(1, 1, 1, 1), times(10), times(2)}}, throughputOf, &Ratio{2, 1, 8.0 / 3}},
		"several children by one start": {&cell{way: four, slices: []slice{times(8), times(8), times(8)}}, medianOf, &Ratio{0.4, 0.2, 1}},
		"fewer rounds":                  {&cell{way: one, slices: []slice{times(10)}}, medianOf, &Ratio{2, 5, 5}},
		"nothing":                       {&cell{way: one}, medianOf, nil},
	} {
		got := ratio(tc.c, base, tc.m)
		near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
		if diff := cmp.Diff(tc.want, got, near); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBar(t *testing.T) {
	for part, want := range map[float64]string{
		0: "", 0.001: "▏", 0.5: "█████", 0.55: "█████▌", 1: "██████████", 3: "██████████", -1: "",
	} {
		if got := bar(part); got != want {
			t.Errorf("bar(%v) = %q, want %q", part, got, want)
		}
	}
	if got := ProgressBar(0.5, 4); got != "██░░" {
		t.Errorf("progress %q", got)
	}
}
