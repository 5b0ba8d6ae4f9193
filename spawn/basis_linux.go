package spawn

import (
	"os"
	"syscall"
)

// identify adds what package os has no name for.
func (f *FileState) identify(info os.FileInfo) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Device, f.Inode, f.Changed = uint64(st.Dev), st.Ino, st.Ctim.Nano()
	}
}
