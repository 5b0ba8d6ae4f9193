//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lane

import (
	"syscall"
	"unsafe"
)

// putRights writes one SCM_RIGHTS control message to oob, with first (if it is
// not negative) ahead of fds, and returns what it took: nothing without
// descriptors. It is syscall.UnixRights without the allocation.
func putRights(oob []byte, first int, fds []int) []byte {
	n := len(fds)
	if first >= 0 {
		n++
	}
	if n == 0 {
		return nil
	}
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&oob[0]))
	h.Level, h.Type = syscall.SOL_SOCKET, syscall.SCM_RIGHTS
	h.SetLen(syscall.CmsgLen(4 * n))
	data := unsafe.Slice((*int32)(unsafe.Pointer(&oob[syscall.CmsgLen(0)])), n)
	if first >= 0 {
		data[0] = int32(first)
		data = data[1:]
	}
	for i, fd := range fds {
		data[i] = int32(fd)
	}
	return oob[:syscall.CmsgSpace(4*n)]
}

// appendRights appends every descriptor in the control messages of oob to fds.
// It returns false when there was anything but one SCM_RIGHTS: what came must be
// closed all the same.
func appendRights(fds []int, oob []byte) ([]int, bool) {
	ok := true
	for i := 0; len(oob) >= syscall.CmsgLen(0); i++ {
		h := (*syscall.Cmsghdr)(unsafe.Pointer(&oob[0]))
		size := int(h.Len)
		if size < syscall.CmsgLen(0) {
			return fds, false
		}
		if size > len(oob) {
			size, ok = len(oob), false
		}
		n := (size - syscall.CmsgLen(0)) / 4
		switch {
		case h.Level == syscall.SOL_SOCKET && h.Type == syscall.SCM_RIGHTS:
			ok = ok && i == 0
		case h.Level == syscall.SOL_SOCKET && h.Type == scmPidfd:
			n, ok = min(n, 1), false
		default:
			n, ok = 0, false
		}
		if n > 0 {
			for _, fd := range unsafe.Slice((*int32)(unsafe.Pointer(&oob[syscall.CmsgLen(0)])), n) {
				if fd >= 0 { // an SCM_PIDFD may carry an errno instead
					fds = append(fds, int(fd))
				}
			}
		}
		oob = oob[min(len(oob), syscall.CmsgSpace(size-syscall.CmsgLen(0))):]
	}
	return fds, ok
}

// closeAll closes descriptors that nobody will get.
func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}
