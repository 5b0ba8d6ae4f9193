package tinyelf

import (
	"encoding/binary"
	"os"
	"runtime"
	"syscall"
)

// Layout of the program: the ELF header, one program header, the code.
const (
	ehdrSize = 64
	phdrSize = 56
	codeAt   = ehdrSize + phdrSize

	loadAddr = 0x400000
	pageSize = 0x10000 // the largest page of both architectures
)

// Exit returns a static Linux program for this architecture that exits with
// code, 0 to 255, and does nothing else. It is nil where no such program is
// known.
func Exit(code int) []byte {
	if runtime.GOOS != "linux" {
		return nil
	}
	return program(runtime.GOARCH, exitCode(runtime.GOARCH, code))
}

// Pause returns a program that waits until a signal ends it. It is nil where
// no such program is known.
func Pause() []byte {
	if runtime.GOOS != "linux" {
		return nil
	}
	return program(runtime.GOARCH, pauseCode(runtime.GOARCH))
}

// Program returns a static Linux program that consists of the machine code text,
// at whose first byte it starts. It is nil where no such program is known.
func Program(text []byte) []byte {
	if runtime.GOOS != "linux" {
		return nil
	}
	return program(runtime.GOARCH, text)
}

// Write writes a program to path, with mode 0755 as far as the umask allows. It
// fails with ENOEXEC when the program is nil.
//
// Nobody may have the file open for writing when it is executed (ETXTBSY), and
// a child that is being forked has what this process has: so no fork of package
// os/exec happens meanwhile.
func Write(path string, program []byte) error {
	if program == nil {
		return &os.PathError{Op: "tinyelf", Path: path, Err: syscall.ENOEXEC}
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, program, 0o755)
}

// program lays the file out around its code: see elf(5) and the ELF-64 object
// file format.
func program(arch string, text []byte) []byte {
	const (
		typeExec     = 2
		machineAMD64 = 62
		machineARM64 = 183
		segmentLoad  = 1
		readExecute  = 4 | 1
	)
	var machine uint16
	switch arch {
	case "amd64":
		machine = machineAMD64
	case "arm64":
		machine = machineARM64
	default:
		return nil
	}
	le := binary.LittleEndian
	b := make([]byte, 0, codeAt+len(text))
	b = append(b, "\x7fELF"...)
	b = append(b, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0) // 64 bits, little endian, version 1, System V
	b = le.AppendUint16(b, typeExec)
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1)               // version
	b = le.AppendUint64(b, loadAddr+codeAt) // entry point
	b = le.AppendUint64(b, ehdrSize)        // program headers, in the file
	b = le.AppendUint64(b, 0)               // no section headers
	b = le.AppendUint32(b, 0)               // flags
	b = le.AppendUint16(b, ehdrSize)
	b = le.AppendUint16(b, phdrSize)
	b = le.AppendUint16(b, 1) // one program header
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, 0)

	size := uint64(codeAt + len(text))
	b = le.AppendUint32(b, segmentLoad)
	b = le.AppendUint32(b, readExecute)
	b = le.AppendUint64(b, 0) // the whole file, from its beginning
	b = le.AppendUint64(b, loadAddr)
	b = le.AppendUint64(b, loadAddr)
	b = le.AppendUint64(b, size)
	b = le.AppendUint64(b, size)
	b = le.AppendUint64(b, pageSize)
	return append(b, text...)
}

func exitCode(arch string, code int) []byte {
	if arch == "arm64" {
		return exitARM64(code)
	}
	return exitAMD64(code)
}

func pauseCode(arch string) []byte {
	if arch == "arm64" {
		return pauseARM64()
	}
	return pauseAMD64()
}

// pauseAMD64 is mov eax, SYS_pause; syscall; jmp to the beginning.
func pauseAMD64() []byte {
	return []byte{0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7}
}

// pauseARM64 is ppoll of nothing without a timeout, and a branch to its
// beginning.
func pauseARM64() []byte {
	const (
		ppoll = 73
		movz  = 0xd2800000
		svc   = 0xd4000001
		back6 = 0x17fffffa
	)
	var b []byte
	for _, instruction := range []uint32{movz, movz | 1, movz | 2, movz | 3, movz | ppoll<<5 | 8, svc, back6} {
		b = binary.LittleEndian.AppendUint32(b, instruction)
	}
	return b
}

// exitAMD64 is mov edi, code; mov eax, SYS_exit_group; syscall.
func exitAMD64(code int) []byte {
	const exitGroup = 231
	b := binary.LittleEndian.AppendUint32([]byte{0xbf}, uint32(code))
	b = binary.LittleEndian.AppendUint32(append(b, 0xb8), exitGroup)
	return append(b, 0x0f, 0x05)
}

// exitARM64 is movz x0, code; movz x8, SYS_exit_group; svc 0.
func exitARM64(code int) []byte {
	const (
		exitGroup = 94
		movz      = 0xd2800000
		svc       = 0xd4000001
	)
	b := binary.LittleEndian.AppendUint32(nil, movz|uint32(code&0xffff)<<5)
	b = binary.LittleEndian.AppendUint32(b, movz|exitGroup<<5|8)
	return binary.LittleEndian.AppendUint32(b, svc)
}
