package host

// TerminalError is what OpenTerminal makes of an error.
func TerminalError(err error) error { return terminalError(err) }
