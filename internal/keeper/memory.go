//go:build unix

package keeper

import _ "unsafe" // for go:linkname

// freeOSMemory is debug.FreeOSMemory. To import package runtime/debug would make
// the keeper's entry late: it is among the last that are initialised, and so
// would everything be that imports it.
//
//go:linkname freeOSMemory runtime/debug.freeOSMemory
func freeOSMemory()
