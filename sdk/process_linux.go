package sdk

import "github.com/hatchery-spawn/hatchery/internal/linux"

// closeOnExec marks whatever the process inherited besides 0, 1 and 2.
func closeOnExec() error { return linux.CloseOnExecFrom(3) }
