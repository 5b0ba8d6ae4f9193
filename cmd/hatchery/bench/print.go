package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes the result as tables for people, in which a bar shows what is
// compared. They fit into 80 columns as long as names are short.
func (r *Result) Print(out io.Writer) error {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%s, kernel %s, %s; %d x %s\n", m.System, orUnknown(m.Kernel), m.Go, m.Processors, orUnknown(m.Processor))
	fmt.Fprintf(&b, "rounds: %d, in %.0f s; µs: median and the slowest of a hundred;\n", r.Rounds, r.Seconds)
	fmt.Fprintf(&b, "ratio: to %s; eight of ten rounds are within the range beside it\n", r.bases())
	if !r.Complete {
		fmt.Fprintln(&b, "ended early: this is what was measured until then")
	}
	for _, p := range r.Programs {
		fmt.Fprintf(&b, "\n%s: %s\n", p.Name, p.What)
		r.printTimes(&b, "one at a time", r.rows(Plain, p.Name, 1))
		if rows := r.rows(Paused, p.Name, 1); len(rows) > 0 {
			r.printTimes(&b, fmt.Sprintf("one at a time, %.0f ms apart", rows[0].Pause/1000), rows)
		}
		if rows := r.rows(Descriptors, p.Name, 1); len(rows) > 0 {
			r.printTimes(&b, fmt.Sprintf("one at a time, the host with %d open descriptors", rows[0].Descriptors), rows)
		}
		r.printThroughput(&b, p.Name)
		r.printBatches(&b, p.Name)
	}
	r.printReady(&b)
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

// bases names what ratios are to.
func (r *Result) bases() string {
	for _, row := range r.Rows {
		if row.Against == Bwrap {
			return OSExec + ", of " + row.Method + " to " + Bwrap
		}
	}
	return OSExec
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
	longest := 0.0
	for _, row := range rows {
		longest = max(longest, row.Median)
	}
	if longest > 0 {
		fmt.Fprintf(b, "\n%s; processor time of host and keeper\n", title)
		w := table(b)
		fmt.Fprintln(w, "  method\tmedian\t   p99\tratio\t\thost\tkeeper\t")
		for _, row := range rows {
			if row.Children > 0 {
				fmt.Fprintf(w, "  %s\t%6.0f\t%6.0f\t%s\t%4.0f\t%6.0f\t%s\n", row.Method, row.Median, row.P99,
					ratioCells(row.MedianRatio), row.HostCPU, row.KeeperCPU, bar(row.Median/longest))
			}
		}
		w.Flush()
	}
	printReasons(b, rows)
}

func (r *Result) printThroughput(b *strings.Builder, program string) {
	rows := r.rows(Plain, program, 0)
	most := 0.0
	for _, row := range rows {
		most = max(most, row.PerSecond)
	}
	if most == 0 || !slices.ContainsFunc(rows, func(row Row) bool { return row.Callers > 1 }) {
		return
	}
	fmt.Fprintln(b, "\nseveral at a time: children a second, by so many callers")
	w := table(b)
	fmt.Fprintln(w, "  callers\tmethod\tmedian\t   p99\ta second\tratio\t\t")
	last := 0
	for _, row := range rows {
		if row.Children == 0 {
			continue
		}
		callers := ""
		if row.Callers != last {
			callers, last = fmt.Sprint(row.Callers), row.Callers
		}
		fmt.Fprintf(w, "  %7s\t%s\t%6.0f\t%6.0f\t%8.0f\t%s\t%s\n", callers, row.Method, row.Median, row.P99, row.PerSecond,
			ratioCells(row.ThroughputRatio), bar(row.PerSecond/most))
	}
	w.Flush()
	for _, row := range rows {
		if row.Callers != 1 { // those of one stand below the table of one at a time
			printReasons(b, []Row{row})
		}
	}
}

// printBatches shows how many children a second there are when many are started
// by one request.
func (r *Result) printBatches(b *strings.Builder, program string) {
	rows, most := r.rows(Batch, program, 0), 0.0
	for _, row := range rows {
		most = max(most, row.PerSecond)
	}
	if most == 0 {
		return
	}
	fmt.Fprintln(b, "\nmany in one request: children a second")
	w := table(b)
	fmt.Fprintln(w, "  method\tchildren\tcallers\ta second\tratio\t\t")
	for _, row := range rows {
		if row.Children > 0 {
			fmt.Fprintf(w, "  %s\t%8d\t%7d\t%8.0f\t%s\t%s\n", row.Method, max(1, row.Batch), row.Callers, row.PerSecond,
				ratioCells(row.ThroughputRatio), bar(row.PerSecond/most))
		}
	}
	w.Flush()
	printReasons(b, rows)
}

// printReasons says which rows are missing or were not measured to the end.
// What a method cannot do at all is said once, below everything.
func printReasons(b *strings.Builder, rows []Row) {
	for _, row := range rows {
		if row.Skipped != "" {
			fmt.Fprintf(b, "  %s, callers: %d, after %d children: %s\n", row.Method, row.Callers, row.Children, row.Skipped)
		}
	}
}

func (r *Result) printStarts(b *strings.Builder) {
	if len(r.Starts) == 0 || r.Starts[0].Runs == 0 {
		return
	}
	longest := 0.0
	var bases, options []string
	for _, s := range r.Starts {
		longest = max(longest, s.Median)
		line, left := shortLine(s.What)
		if left != "" {
			options = append(options, fmt.Sprintf("  %s is with %s\n", line, left))
		}
		if s.Ratio != nil {
			base, _ := shortLine(s.Against)
			bases = append(bases, fmt.Sprintf("of %s to %s", line, base))
		}
	}
	fmt.Fprintf(b, "\nwhat a start takes; ratio %s\n", strings.Join(bases, ", "))
	w := table(b)
	fmt.Fprintln(w, "  what\tmedian\t   p99\tratio\t\t")
	for _, s := range r.Starts {
		if line, _ := shortLine(s.What); s.Runs > 0 {
			fmt.Fprintf(w, "  %s\t%6.0f\t%6.0f\t%s\t%s\n", line, s.Median, s.P99, ratioCells(s.Ratio), bar(s.Median/longest))
		}
	}
	w.Flush()
	b.WriteString(strings.Join(options, ""))
	for _, s := range r.Starts {
		if s.Skipped != "" {
			fmt.Fprintf(b, "  %s: %s\n", s.What, s.Skipped)
		}
	}
}

// shortLine returns a command line without its options, and these, if it has
// any.
func shortLine(line string) (short, options string) {
	before, after, _ := strings.Cut(line, " --")
	if last := strings.LastIndexByte(after, ' '); last > 0 {
		return before + " …" + after[last:], "--" + after[:last]
	}
	return line, ""
}

// ratioCells returns a ratio and its spread as two cells.
func ratioCells(r *Ratio) string {
	if r == nil {
		return "\t"
	}
	return fmt.Sprintf("%.2fx\t%.2f to %.2f", r.Value, r.Low, r.High)
}
