package tinyelf

import (
	"bytes"
	"debug/elf"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func TestExitRunsAndExitsWithTheCode(t *testing.T) {
	if Exit(0) == nil {
		t.Skip("no tiny program is known for this system")
	}
	for _, code := range []int{0, 1, 42, 137, 255} {
		path := filepath.Join(t.TempDir(), "tiny")
		if err := Write(path, Exit(code)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path)
		cmd.Run()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Errorf("exit(%d): %v", code, cmd.ProcessState)
		}
	}
}

// TestPauseWaits looks at what the program waits in, and that a signal ends
// it.
func TestPauseWaits(t *testing.T) {
	if Pause() == nil {
		t.Skip("no tiny program is known for this system")
	}
	path := filepath.Join(t.TempDir(), "pause")
	if err := Write(path, Pause()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v, want SIGTERM", cmd.ProcessState)
	}
	// As an assembler makes them: … movz x8, #73; svc #0; b to the first.
	want := []byte{0x28, 0x09, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4, 0xfa, 0xff, 0xff, 0x17}
	if got := pauseARM64(); !bytes.HasSuffix(got, want) || len(got) != 28 {
		t.Errorf("arm64 code % x, want % x at its end", got, want)
	}
}

func TestProgramIsAnELF(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		b := program(arch, exitCode(arch, 7))
		if len(b) >= 512 {
			t.Errorf("%s: %d bytes", arch, len(b))
		}
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", arch, err)
			continue
		}
		if f.Machine != machine || f.Type != elf.ET_EXEC || len(f.Progs) != 1 {
			t.Errorf("%s: %v", arch, f.FileHeader)
			continue
		}
		load := f.Progs[0]
		if load.Flags != elf.PF_R|elf.PF_X || load.Filesz != uint64(len(b)) ||
			f.Entry < load.Vaddr || f.Entry >= load.Vaddr+load.Memsz || load.Vaddr%load.Align != load.Off%load.Align {
			t.Errorf("%s: segment %v, entry %#x", arch, load.ProgHeader, f.Entry)
		}
	}
	// As an assembler makes them: movz x0, #7; movz x8, #94; svc #0.
	want := []byte{0xe0, 0x00, 0x80, 0xd2, 0xc8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4}
	if got := program("arm64", exitARM64(7))[codeAt:]; !bytes.Equal(got, want) {
		t.Errorf("arm64 code % x, want % x", got, want)
	}
	if program("riscv64", nil) != nil {
		t.Error("a program for an architecture that is not known")
	}
}
