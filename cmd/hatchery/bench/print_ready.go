package bench

import (
	"fmt"
	"slices"
	"strings"
)

// printReady shows how soon programs are ready by each way of starting them, with
// a ratio to each that comes before.
func (r *Result) printReady(b *strings.Builder) {
	for _, p := range [][2]string{
		{Worker, "a Go worker (this program, at the top of main)"},
		{Python, "a Python program that imports nine modules"},
	} {
		rows := slices.DeleteFunc(slices.Clone(r.Ready), func(row Ready) bool { return row.Program != p[0] })
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(b, "\nuntil the code of %s runs\n", p[1])
		printReadyRows(b, rows)
		for _, row := range rows {
			if row.Memory > 0 {
				fmt.Fprintf(b, "  %s: a process that waits takes %.2f MB\n", row.Method, float64(row.Memory)/1e6)
			}
			if row.Skipped != "" {
				fmt.Fprintf(b, "  %s, after %d runs: %s\n", row.Method, row.Runs, row.Skipped)
			}
		}
	}
}

func printReadyRows(b *strings.Builder, rows []Ready) {
	longest := 0.0
	for _, row := range rows {
		longest = max(longest, row.Median)
	}
	if longest == 0 {
		return
	}
	w := table(b)
	fmt.Fprintln(w, "  method\tmedian\t   p99\tratio\t\tto\t")
	for _, row := range rows {
		if row.Runs == 0 {
			continue
		}
		fmt.Fprintf(w, "  %s\t%6.0f\t%6.0f", row.Method, row.Median, row.P99)
		if len(row.Ratios) == 0 {
			fmt.Fprintf(w, "\t\t\t\t%s\n", bar(row.Median/longest))
		}
		for i, a := range row.Ratios {
			if i == 0 {
				fmt.Fprintf(w, "\t%s\t%s\t%s\n", ratioCells(&a.Ratio), a.Against, bar(row.Median/longest))
			} else {
				fmt.Fprintf(w, "\t\t\t%s\t%s\t\n", ratioCells(&a.Ratio), a.Against)
			}
		}
	}
	w.Flush()
}
