//go:build !linux

package smoketest

type stage struct{ sabotage string }

func (*stage) clear() {}

func roles() map[string]role { return nil }

// scenarios is empty: what they show is Linux's.
func scenarios() []Scenario { return nil }
