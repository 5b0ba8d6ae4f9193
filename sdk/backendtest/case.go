package backendtest

// A Case holds a backend to one promise.
type Case struct {
	Name string // as in "descriptors-exact": no spaces, for tables and -run
	Doc  string // what is promised, and why one would care, in a paragraph

	// Needs are the abilities without which the case makes no sense.
	Needs []Ability

	// Run holds the backend to it. It reports to t, starts children through
	// e and has ended all of them when it returns or its cleanups are done.
	Run func(t T, e *Env)
}

// Cases returns every case, in the order in which they are run: what goes wrong
// first explains what goes wrong later.
func Cases() []Case {
	var all []Case
	all = append(all, descriptionCases()...)
	all = append(all, refusalCases()...)
	all = append(all, blockedCases()...)
	all = append(all, planCases()...)
	all = append(all, systemCases()...)
	return all
}

// count returns how often a case does what it repeats: the small number, or
// the large one when the caller has the time.
func (e *Env) count(usual, heavy int) int {
	if e.Heavy {
		return heavy
	}
	return usual
}
