package bench

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// A Result is what was measured. Its names in JSON do not change.
type Result struct {
	Machine  Machine       `json:"machine"`
	Rounds   int           `json:"rounds"`   // that are in it
	Seconds  float64       `json:"seconds"`  // that it took
	Complete bool          `json:"complete"` // false: it was ended early
	Programs []ProgramInfo `json:"programs"`
	Rows     []Row         `json:"rows"`
	Starts   []Start       `json:"starts"`
	Ready    []Ready       `json:"ready"`
	Skipped  []Skip        `json:"skipped"` // what does not work here, and why
}

// A Machine is where it was measured.
type Machine struct {
	System     string `json:"system"` // like linux/amd64
	Kernel     string `json:"kernel"` // empty when it is not known
	Processor  string `json:"processor"`
	Processors int    `json:"processors"` // that this process may use
	Go         string `json:"go"`
}

// A ProgramInfo is a program that was started.
type ProgramInfo struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// A Row is one method under some circumstances.
type Row struct {
	Scenario    string  `json:"scenario"`              // plain, descriptors, batch or paused
	Descriptors int     `json:"descriptors,omitempty"` // that the host had open
	Batch       int     `json:"batch,omitempty"`       // how many children were in a request
	Pause       float64 `json:"pause_us,omitempty"`    // behind each child
	Program     string  `json:"program"`
	Callers     int     `json:"callers"`
	Method      string  `json:"method"`     // os/exec, bwrap or the key of a method
	Children    int     `json:"children"`   // that were started
	Median      float64 `json:"median_us"`  // from the request until the end was known
	P99         float64 `json:"p99_us"`     // the slowest in a hundred
	PerSecond   float64 `json:"per_second"` // children, by all callers together
	HostCPU     float64 `json:"host_cpu_us"`
	KeeperCPU   float64 `json:"keeper_cpu_us"` // each for one child

	Against         string `json:"against,omitempty"` // the method of the ratios
	MedianRatio     *Ratio `json:"median_ratio,omitempty"`
	ThroughputRatio *Ratio `json:"throughput_ratio,omitempty"`

	Skipped string `json:"skipped,omitempty"` // why it was not measured, or not to the end
}

// A Ratio is one of numbers of all rounds. From Low to High are eight of ten of
// the ratios within the rounds.
type Ratio struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// A Skip is a method that was not measured.
type Skip struct {
	Method string `json:"method"`
	Reason string `json:"reason"`
}

func (b *bench) result(groups []*group, starts []*start, readies []*readying) *Result {
	r := &Result{Machine: machine(), Rows: []Row{}, Starts: []Start{}, Ready: readyResults(readies), Skipped: []Skip{}}
	for _, p := range b.Programs {
		r.Programs = append(r.Programs, ProgramInfo{p.Name, p.What})
	}
	for _, g := range groups {
		for _, c := range g.cells {
			if !c.base {
				r.Rows = append(r.Rows, b.row(g, c))
			}
		}
	}
	r.Starts = append(r.Starts, startResults(starts)...)
	for _, key := range append([]string{Bwrap}, b.Methods...) {
		if reason, ok := b.skipped[key]; ok {
			r.Skipped = append(r.Skipped, Skip{key, reason})
		}
	}
	return r
}

func (b *bench) row(g *group, c *cell) Row {
	s := c.sum()
	row := Row{
		Scenario: g.scenario, Program: g.program.Name, Callers: g.callers, Method: c.way.method, Children: s.children,
		Median: micros(quantile(s.took, 0.5)), P99: micros(quantile(s.took, 0.99)), PerSecond: s.perSecond(),
		Against: c.way.against, Skipped: c.skipped, Pause: micros(g.pace.pause),
	}
	if g.scenario == Descriptors {
		row.Descriptors = b.Descriptors
	}
	if c.way.each > 1 {
		row.Batch, row.Callers = c.way.each, 1
	}
	if s.children > 0 {
		row.HostCPU, row.KeeperCPU = micros(s.cpu.host)/float64(s.children), micros(s.cpu.keeper)/float64(s.children)
	}
	if base := g.of(c.way.against); base != nil {
		row.MedianRatio, row.ThroughputRatio = ratio(c, base, medianOf), ratio(c, base, throughputOf)
	}
	return row
}

// of returns the cell of a method.
func (g *group) of(method string) *cell {
	for _, c := range g.cells {
		if c.way.method == method {
			return c
		}
	}
	return nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func machine() Machine {
	m := Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m.Kernel = strings.TrimSpace(string(kernel))
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m
}
