package nearest

import (
	"math/rand/v2"
	"testing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"abc", "bac", 1}, {"abc", "abcd", 1}, {"abc", "xbc", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"abcd", "badc", 2},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// One random edit is a distance of one, or of none when it changed nothing;
// and the order of the two does not matter.
func TestDistanceOfRandomEdits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const letters = "abc_"
	for range 2000 {
		a := make([]byte, 2+rng.IntN(10))
		for i := range a {
			a[i] = letters[rng.IntN(len(letters))]
		}
		b := append([]byte(nil), a...)
		switch i := rng.IntN(len(b) - 1); rng.IntN(4) {
		case 0:
			b = append(b[:i], b[i+1:]...)
		case 1:
			b[i] = 'z'
		case 2:
			b[i], b[i+1] = b[i+1], b[i]
		case 3:
			b = append(b, 'z')
		}
		want := 1
		if string(a) == string(b) {
			want = 0
		}
		ab, ba := distance(string(a), string(b)), distance(string(b), string(a))
		if ab != want || ba != want {
			t.Fatalf("distance(%q, %q) = %d and %d, want %d", a, b, ab, ba, want)
		}
	}
}
