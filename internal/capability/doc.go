// Package capability has the names of Linux's capabilities and of the flags that
// say what root may do, capabilities(7), and sets of them.
//
//	keep, err := capability.Parse("cap_net_bind_service,cap_chown")
//	…
//	plan.Steps = append(plan.Steps, spawn.Bound(uint64(keep)), spawn.Capset(uint64(keep), uint64(keep), 0))
//
// Nothing here asks the kernel, which may know fewer capabilities, or more: what
// it has is in /proc/sys/kernel/cap_last_cap. The names are those up to [Last].
package capability
