package host

import "errors"

// StartTerminal is Start on a new pseudoterminal of the given size: those of
// Stdin, Stdout and Stderr that are nil become the child's terminal, at least
// one has to be, and the child gets a session of its own that is controlled by
// it. What the child writes is read from the Terminal, what is written to the
// Terminal the child reads.
//
// Read it to its end, call Wait, and Close it: it is the caller's. The end
// comes when nobody has the child's terminal open any more, or when the child
// has ended and descendants have held it for another WaitDelay (if that is
// zero, Timeouts.Drain). To end the child early, Close: the child's terminal is
// hung up, and it gets SIGHUP.
func (c *Cmd) StartTerminal(size TerminalSize) (*Terminal, error) {
	if c.started {
		return nil, errors.New("hatchery: already started")
	}
	numbers := c.openNumbers()
	if len(numbers) == 0 {
		c.io().abandon()
		return nil, errors.New("hatchery: Stdin, Stdout and Stderr are all set: none is left for the terminal")
	}
	t, child, err := OpenTerminal(size)
	if err != nil {
		c.io().abandon()
		return nil, err
	}
	defer child.Close()
	for _, n := range numbers {
		switch n {
		case 0:
			c.Stdin = child
		case 1:
			c.Stdout = child
		case 2:
			c.Stderr = child
		}
	}
	c.Spec.Session, c.Spec.Terminal = true, &numbers[0]
	if err := c.Start(); err != nil {
		t.Close()
		return nil, err
	}
	limit := c.WaitDelay
	if limit <= 0 {
		limit = c.host.limits.Drain
	}
	c.drained = make(chan struct{})
	go func() { // Wait waits for it
		defer close(c.drained)
		<-c.Process.Done()
		t.Drain(limit)
	}()
	return t, nil
}

// openNumbers returns which of 0, 1 and 2 nothing is said of.
func (c *Cmd) openNumbers() (numbers []int) {
	for n, set := range []bool{c.Stdin != nil, c.Stdout != nil, c.Stderr != nil} {
		if !set {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
