package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Disk returns the numbers, as in 254:0, of a disk: of the one that path is, or on
// which it lies, and of a whole one if that is a partition, since limits are about
// disks. What is on none is an error.
func Disk(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	dev := uint64(st.Dev)
	if info.Mode()&(os.ModeDevice|os.ModeCharDevice) == os.ModeDevice {
		dev = uint64(st.Rdev)
	}
	major, minor := dev>>8&0xfff|dev>>32&^0xfff, dev&0xff|dev>>12&^0xff // as glibc has them
	numbers := fmt.Sprintf("%d:%d", major, minor)
	dir, err := filepath.EvalSymlinks("/sys/dev/block/" + numbers)
	if err != nil {
		return "", noPlace(path + " is on no disk that has limits (device " + numbers + "): give the device itself, as in /dev/sda")
	}
	if _, err := os.Stat(dir + "/partition"); err != nil {
		return numbers, nil
	}
	b, err := os.ReadFile(filepath.Dir(dir) + "/dev")
	return strings.TrimSpace(string(b)), err
}
