package host

// LockAll locks what the host's own code locks for a moment, as code that got
// stuck there would.
func (h *Host) LockAll(p *Process) (unlock func()) {
	h.mu.Lock()
	for _, m := range h.methods {
		m.mu.Lock()
	}
	h.keeping.mu.Lock()
	h.waits.mu.Lock()
	p.mu.Lock()
	return func() {
		p.mu.Unlock()
		h.waits.mu.Unlock()
		h.keeping.mu.Unlock()
		for _, m := range h.methods {
			m.mu.Unlock()
		}
		h.mu.Unlock()
	}
}

// Waits returns how many waits are under way.
func (h *Host) Waits() int {
	_, n, _ := h.waits.list(0)
	return n
}
