// Package nearest finds what was most likely meant by a word that is not one of
// those that are known.
//
//	nearest.Of("forkexce", []string{"forkexec", "isolate"}) // "forkexec", true
//
// It counts typing errors, and knows nothing of languages.
package nearest

import "strings"

// Of returns the word of known that was most likely meant by word: the same but
// for the case of its letters, or else the one with the fewest differences, if
// they are few for its length (one in three). It reports false when nothing is
// near. Of several that are equally near it is the first.
func Of(word string, known []string) (string, bool) {
	word = strings.ToLower(word)
	best, least, found := "", 0, false
	for _, k := range known {
		if k == word {
			return k, true
		}
		// The length alone tells that something pasted by accident is not
		// near; it need not be compared.
		if len(word) > 2*len(k) {
			continue
		}
		if d := distance(word, k); d <= len(k)/3 && (!found || d < least) {
			best, least, found = k, d, true
		}
	}
	return best, found
}

// distance counts the insertions, deletions, replacements and swaps of two
// neighbours that turn a into b, no part of it being edited twice (optimal
// string alignment). It counts bytes: the known words are ASCII.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
