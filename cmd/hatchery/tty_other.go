//go:build !linux

package main

import (
	"errors"
	"os"
)

// A tty is a terminal for the child: there is none on this system.
type tty struct {
	child *os.File
	shown chan struct{}
}

func openTTY(*app) (*tty, error) { return nil, errors.ErrUnsupported }

func (t *tty) begin(process)         {}
func (t *tty) close()                {}
func (t *tty) hangUp()               {}
func (t *tty) lost() <-chan struct{} { return nil }
func (t *tty) told(os.Signal) bool   { return false }
func (t *tty) failed() error         { return nil }
