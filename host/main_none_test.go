//go:build linux && !amd64 && !arm64

package host_test

// These helpers belong to tests of what the portable launcher does not have.
// None of them is started here.

func differentialHelper([]string) int { return 1 }

func successionHelper([]string) int { return 1 }

func twoKeepersHelper([]string) int { return 1 }
