package plan

// What the kernel calls them. They stand here, and not in a package of system
// calls, because a plan is data: it can be made and looked at anywhere.
const (
	cloneNewNS     = 0x20000
	cloneNewCgroup = 0x2000000
	cloneNewUTS    = 0x4000000
	cloneNewIPC    = 0x8000000
	cloneNewUser   = 0x10000000
	cloneNewPID    = 0x20000000
	cloneNewNet    = 0x40000000

	msRdonly  = 0x1
	msNosuid  = 0x2
	msNodev   = 0x4
	msNoexec  = 0x8
	msBind    = 0x1000
	msMove    = 0x2000
	msRec     = 0x4000
	msPrivate = 0x40000
	mntDetach = 2

	attrRdonly = 0x1 // MOUNT_ATTR_*
	attrNosuid = 0x2
	attrNodev  = 0x4
	attrNoexec = 0x8

	openTreeClone   = 1
	moveToEmptyPath = 0x40 // MOVE_MOUNT_T_EMPTY_PATH
	atRecursive     = 0x8000
	atEmptyPath     = 0x1000
	resolveNoMagic  = 0x2
	resolveInRoot   = 0x10
	fsconfigString  = 1
	fsconfigCreate  = 6
	oWronly         = 1
	oPath           = 0x200000
	sIfreg          = 0x8000

	rlimitCPU   = 0
	rlimitData  = 2
	rlimitNproc = 6
)
