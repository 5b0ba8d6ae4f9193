//go:build linux && !amd64 && !arm64

package smoketest

func zygoteProgram() []byte { return nil }
