package isolate

import "github.com/hatchery-spawn/hatchery/backends/isolate/plan"

// Options say what the sandbox of a child is: see [plan.Options]. Their List is
// what Spec.Options takes.
//
//	spec.Options = isolate.Options{
//		Mounts:   []isolate.Mount{{Source: dir, Target: dir, Write: true}},
//		Landlock: []isolate.LandlockRule{{Allow: isolate.LandlockConnect, Port: 5432}},
//	}.List()
type Options = plan.Options

// A Mount puts something into the child's file system.
type Mount = plan.Mount

// A LandlockRule is something that Landlock allows.
type LandlockRule = plan.LandlockRule

// An IOLimit bounds what is read from a disk and written to it.
type IOLimit = plan.IOLimit

// The profiles: what a sandbox has as its file system.
const (
	ProfileHost  = plan.ProfileHost
	ProfileEmpty = plan.ProfileEmpty
	ProfileRoot  = plan.ProfileRoot
)

// An IDRange is a range of user and group ids of the host.
type IDRange = plan.IDRange

// A Filter is what happens to system calls that programs have no need of.
type Filter = plan.Filter

// FilterFile returns the filter that a profile in JSON describes, as container
// engines have it. path is absolute, and the host's.
func FilterFile(path string) Filter { return plan.FilterFile(path) }

// FilterProgram returns the filter that a file is, a program for the kernel.
func FilterProgram(path string) Filter { return plan.FilterProgram(path) }

// The filters of system calls that need no file.
const (
	FilterRefuse = plan.FilterRefuse
	FilterKill   = plan.FilterKill
	FilterOff    = plan.FilterOff
)

// What a LandlockRule allows.
const (
	LandlockRead    = plan.LandlockRead
	LandlockExec    = plan.LandlockExec
	LandlockWrite   = plan.LandlockWrite
	LandlockBind    = plan.LandlockBind
	LandlockConnect = plan.LandlockConnect
	LandlockScope   = plan.LandlockScope
	LandlockOff     = plan.LandlockOff
)
