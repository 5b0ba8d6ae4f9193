//go:build !unix

package host

func checkPrivate(dir string) error { return nil }

func startTime() string { return "0" }
