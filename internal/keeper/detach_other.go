//go:build unix && !linux

package keeper

import "errors"

func listenAt(path string) (fd int, err error) { return -1, errors.ErrUnsupported }

func acceptFrom(listener int) (fd int, err error) { return -1, errors.ErrUnsupported }

func connectTo(path string) (fd int, err error) { return -1, errors.ErrUnsupported }

func peerOf(fd int) (pid, uid int, err error) { return 0, 0, errors.ErrUnsupported }
