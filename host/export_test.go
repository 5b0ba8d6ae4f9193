package host

// ForgetInit makes this process one that never called Init.
func ForgetInit() { builtin.Store(nil) }
