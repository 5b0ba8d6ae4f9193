package host

// selfExe is this program, also when its file has been replaced or removed.
// The keeper, which executes it, is the same program.
func selfExe() string { return "/proc/self/exe" }
