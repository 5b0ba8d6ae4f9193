package bench

import (
	"slices"
	"time"
)

// quantile returns the value below which a part q, from 0 to 1, of sorted lies.
func quantile[T time.Duration | float64](sorted []T, q float64) T {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// sum is what all rounds of a cell have in common.
type sum struct {
	took     []time.Duration // sorted
	children int
	wall     time.Duration
	cpu      usage
}

func (c *cell) sum() sum {
	var s sum
	for i := range c.slices {
		one := &c.slices[i]
		s.took = append(s.took, one.took...)
		s.children += one.children(c.way.each)
		s.wall += one.wall
		s.cpu = s.cpu.plus(one.cpu)
	}
	slices.Sort(s.took)
	return s
}

// perSecond returns how many children there were in a second.
func (s sum) perSecond() float64 {
	if s.wall == 0 {
		return 0
	}
	return float64(s.children) / s.wall.Seconds()
}

// A measure makes a number of a slice, or of all.
type measure func(took []time.Duration, children int, wall time.Duration, each int) float64

// medianOf is the time of one start, of each child if it makes several.
func medianOf(took []time.Duration, _ int, _ time.Duration, each int) float64 {
	return float64(quantile(took, 0.5)) / float64(each)
}

func throughputOf(_ []time.Duration, children int, wall time.Duration, _ int) float64 {
	return float64(children) / max(wall.Seconds(), 1e-9)
}

// ratio compares two cells: the whole with the whole, and round with round.
func ratio(c, base *cell, m measure) *Ratio {
	a, b := c.sum(), base.sum()
	if len(a.took) == 0 || len(b.took) == 0 {
		return nil
	}
	of := m(a.took, a.children, a.wall, c.way.each) / m(b.took, b.children, b.wall, base.way.each)
	var each []float64
	for i := range min(len(c.slices), len(base.slices)) {
		each = append(each, c.slices[i].measure(m, c.way.each)/base.slices[i].measure(m, base.way.each))
	}
	slices.Sort(each)
	return &Ratio{Value: of, Low: quantile(each, 0.1), High: quantile(each, 0.9)}
}

func (s *slice) measure(m measure, each int) float64 {
	slices.Sort(s.took)
	return m(s.took, s.children(each), s.wall, each)
}
