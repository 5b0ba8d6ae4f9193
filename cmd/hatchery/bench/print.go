package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the result as tables for people, in which a bar shows what is
// compared.
func (r *Result) Print(out io.Writer) error {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%s, %d processors (%s), kernel %s, %s; %d rounds in %.0f s\n",
		m.System, m.Processors, orUnknown(m.Processor), orUnknown(m.Kernel), m.Go, r.Rounds, r.Seconds)
	if !r.Complete {
		fmt.Fprintln(&b, "ended early: this is what was measured until then")
	}
	for _, p := range r.Programs {
		fmt.Fprintf(&b, "\n%s: %s\n", p.Name, p.What)
		r.printTimes(&b, "one at a time", r.rows(Plain, p.Name, 1))
		r.printTimes(&b, "one at a time, the host with %d open descriptors", r.rows(Descriptors, p.Name, 1))
		r.printThroughput(&b, p.Name)
	}
	r.printStarts(&b)
	if len(r.Skipped) > 0 {
		fmt.Fprintln(&b, "\nNot measured:")
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "  %s: %s\n", s.Method, s.Reason)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// rows returns the rows of a scenario; callers 0 means any number.
func (r *Result) rows(scenario, program string, callers int) (out []Row) {
	for _, row := range r.Rows {
		if row.Scenario == scenario && row.Program == program && (callers == 0 || row.Callers == callers) {
			out = append(out, row)
		}
	}
	return out
}

// table begins a table, whose last column is the bar.
func table(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }

func (r *Result) printTimes(b *strings.Builder, title string, rows []Row) {
	if len(rows) == 0 {
		return
	}
	if strings.Contains(title, "%d") {
		title = fmt.Sprintf(title, rows[0].Descriptors)
	}
	longest := 0.0
	for _, row := range rows {
		longest = max(longest, row.Median)
	}
	fmt.Fprintf(b, "\n%s, µs\n", title)
	w := table(b)
	fmt.Fprintln(w, "  method\t median\t    p99\tratio\t\tCPU of host\tand keeper\t")
	for _, row := range rows {
		if row.Children == 0 {
			continue
		}
		fmt.Fprintf(w, "  %s\t%7.0f\t%7.0f\t%s\t%11.0f\t%10.0f\t%s\n", row.Method, row.Median, row.P99,
			ratioCells(row.MedianRatio, row.Against), row.HostCPU, row.KeeperCPU, bar(row.Median/longest))
	}
	w.Flush()
	printReasons(b, rows)
}

func (r *Result) printThroughput(b *strings.Builder, program string) {
	rows := r.rows(Plain, program, 0)
	most := 0.0
	for _, row := range rows {
		most = max(most, row.PerSecond)
	}
	if most == 0 {
		return
	}
	fmt.Fprintln(b, "\nchildren a second; median and p99 in µs")
	w := table(b)
	fmt.Fprintln(w, "  callers\tmethod\t median\t    p99\ta second\tratio\t\t")
	last := 0
	for _, row := range rows {
		if row.Children == 0 {
			continue
		}
		callers := ""
		if row.Callers != last {
			callers, last = fmt.Sprint(row.Callers), row.Callers
		}
		fmt.Fprintf(w, "  %7s\t%s\t%7.0f\t%7.0f\t%8.0f\t%s\t%s\n", callers, row.Method, row.Median, row.P99, row.PerSecond,
			ratioCells(row.ThroughputRatio, row.Against), bar(row.PerSecond/most))
	}
	w.Flush()
	printReasons(b, rows)
}

// printReasons says which rows are missing or were not measured to the end.
// What a method cannot do at all is said once, below everything.
func printReasons(b *strings.Builder, rows []Row) {
	for _, row := range rows {
		if row.Skipped != "" {
			fmt.Fprintf(b, "  %s, %d callers, after %d children: %s\n", row.Method, row.Callers, row.Children, row.Skipped)
		}
	}
}

func (r *Result) printStarts(b *strings.Builder) {
	if len(r.Starts) == 0 || r.Starts[0].Runs == 0 {
		return
	}
	longest := 0.0
	for _, s := range r.Starts {
		longest = max(longest, s.Median)
	}
	fmt.Fprintln(b, "\nwhat a start takes, µs")
	w := table(b)
	fmt.Fprintln(w, "  what\t median\t    p99\tratio\t\t")
	for _, s := range r.Starts {
		if s.Runs > 0 {
			against, _, _ := strings.Cut(s.Against, " ")
			fmt.Fprintf(w, "  %s\t%7.0f\t%7.0f\t%s\t%s\n", s.What, s.Median, s.P99, ratioCells(s.Ratio, against), bar(s.Median/longest))
		}
	}
	w.Flush()
	for _, s := range r.Starts {
		if s.Skipped != "" {
			fmt.Fprintf(b, "  %s: %s\n", s.What, s.Skipped)
		}
	}
}

// ratioCells returns a ratio and its spread as two cells.
func ratioCells(r *Ratio, against string) string {
	if r == nil {
		return "\t"
	}
	return fmt.Sprintf("%.2fx %s\t%.2f to %.2f", r.Value, against, r.Low, r.High)
}
