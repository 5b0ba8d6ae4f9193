package host

// ScriptCommand lets tests compare scriptCommand with the kernel.
func ScriptCommand(script string, head []byte) (path string, args []string, err error) {
	return scriptCommand(script, head[:min(len(head), shebangSize)])
}
