package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// startFailure says why the child was not started, and what to do.
func startFailure(err error, spec spawn.Spec) error {
	f := *failureOf(err)
	var e *spawn.Error
	if !errors.As(err, &e) || f.hint != "" {
		return &f
	}
	switch {
	case f.code == codeNotFound || f.code == codeNotExec:
		f.code, f.hint = explainProgram(f.code, e, spec)
	case spec.Dir != "" && e.Phase == spawn.PhaseSetup && e.Path == spec.Dir:
		f.hint = "--dir must name a folder that the child may enter"
	}
	return &f
}

// explainProgram looks at the file that could not be executed, and returns the
// exit code and what to do. A program that is there is not "not found", even
// if the kernel says so: then it is its interpreter that is missing.
func explainProgram(code int, e *spawn.Error, spec spawn.Spec) (int, string) {
	path := programPath(spec)
	if errors.Is(e, exec.ErrDot) {
		return codeNotExec, fmt.Sprintf("it is found by way of the current directory, which $PATH names: to mean it, run ./%s", spec.Path)
	}
	st, err := os.Stat(path)
	switch {
	case path == "":
		return codeNotFound, "name a program that is in a folder of $PATH, or its path"
	case errors.Is(err, os.ErrNotExist):
		return codeNotFound, missing(path)
	case err != nil:
		return codeNotExec, ""
	case st.IsDir():
		return codeNotExec, path + " is a folder: name a program"
	case st.Mode().Perm()&0o111 == 0:
		return codeNotExec, "chmod +x " + path + " makes it executable"
	case errors.Is(e, syscall.ENOEXEC):
		return codeNotExec, "if it is a script, begin it with a line like #!/bin/sh, or name its interpreter: sh " + path
	case errors.Is(e, os.ErrNotExist) && e.Msg != "" && !strings.Contains(e.Msg, "interpreter is not: /"):
		return codeNotFound, "" // the method has said where it is not
	case errors.Is(e, os.ErrNotExist):
		return codeNotExec, "correct the first line of " + path + ", or install what it names"
	}
	return codeNotExec, ""
}

// missing says that there is no such file, or where the link leads that is.
func missing(path string) string {
	if target, err := os.Readlink(path); err == nil {
		return absolute(path) + " is a link to " + plain(target) + ", which is not there"
	}
	return "there is no " + absolute(path)
}

// programPath returns where the program of spec is, or would be; nothing when
// it is in no folder of $PATH at all.
func programPath(spec spawn.Spec) string {
	switch {
	case !strings.ContainsRune(spec.Path, filepath.Separator):
		return inPath(spec.Path)
	case !filepath.IsAbs(spec.Path) && spec.Dir != "":
		return filepath.Join(spec.Dir, spec.Path)
	}
	return spec.Path
}

// inPath returns the first file of this name in $PATH that is no folder, be it
// executable or not.
func inPath(name string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); dir != "" && err == nil && !st.IsDir() {
			return path
		}
	}
	return ""
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
