package backendtest

import "slices"

// systemCases are those that start children and look at them.
func systemCases() []Case {
	return slices.Concat(exitCases(), errorCases(), byteCases(), descriptorCases(), signalCases(), attributeCases(),
		identityCases(), terminalCases(), streamCases(), stopCases(), cancelCases(), pluginCases(), faultCases(), hostCases())
}
