package bench

import "time"

// A usage is processor time that was used.
type usage struct{ host, keeper time.Duration }

func (u usage) minus(o usage) usage { return usage{u.host - o.host, u.keeper - o.keeper} }

func (u usage) plus(o usage) usage { return usage{u.host + o.host, u.keeper + o.keeper} }

// accountant returns a function that reads the processor time of this process,
// which is the host, and of its keepers.
func accountant() func() usage {
	keepers := keepersOf()
	return func() usage { return usage{ownTime(), timeOf(keepers)} }
}
