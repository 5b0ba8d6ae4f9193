package bench

import "strings"

// barWidth is how many characters a full bar has.
const barWidth = 10

// bar draws a part of a whole, from 0 to 1, to the eighth of a character. What
// is not nothing is seen.
func bar(part float64) string {
	const block = "█"
	eighths := []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}
	n := int(min(max(part, 0), 1)*barWidth*8 + 0.5)
	if n == 0 && part > 0 {
		n = 1
	}
	return strings.Repeat(block, n/8) + eighths[n%8]
}

// ProgressBar draws a bar of the given width with its empty part.
func ProgressBar(part float64, width int) string {
	n := int(min(max(part, 0), 1)*float64(width) + 0.5)
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}
