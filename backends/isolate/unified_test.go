//go:build linux

package isolate_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unifiedInit is process 1 of another Linux that has the files of this one, to read,
// and control groups of version 2 with all controllers. It makes the tests of limits
// there, as root and as a user who has a group of his own, as systemd gives one.
const unifiedInit = `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ TERM=dumb
mount --bind %[1]q /mnt
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
for dir in /run /var/tmp; do mount -t tmpfs -o mode=1777 none $dir; done
mount -t ext4 /dev/ubda /tmp && chmod 1777 /tmp # a disk, for io
cd /sys/fs/cgroup
echo "+cpu +io +memory +pids" >cgroup.subtree_control
echo "Linux $(uname -r) with $(cat cgroup.subtree_control)"
cd /mnt
tests='./tests -test.v -test.run %[2]s -test.timeout 100s' # taken apart at spaces alone
echo as root; $tests 2>&1
group=/sys/fs/cgroup/user
mkdir $group; echo "+cpu +io +memory +pids" >$group/cgroup.subtree_control; mkdir $group/session
chown -R 65534:65534 $group; echo $$ >$group/session/cgroup.procs
echo as a user; setpriv --reuid 65534 --regid 65534 --clear-groups $tests 2>&1
echo all done
echo o >/proc/sysrq-trigger
sleep 60
`

// TestUnified makes the tests of limits again under another Linux, one that is run as
// a program, as machines that have version 1 have no controllers in version 2.
func TestUnified(t *testing.T) {
	if !*heavy {
		t.Skip("takes a minute: -heavy")
	}
	uml, err := exec.LookPath("linux.uml")
	if err != nil {
		t.Skip("needs a Linux that is a program, as in Debian's package user-mode-linux: ", err)
	}
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		t.Skip("needs a disk: ", err)
	}
	names := []string{"TestIOLimit", "TestMemoryLimit", "TestPidsLimit", "TestCPULimit", "TestTimeLimits", "TestLimitsLeaveNothing", "TestLimitsOfTheKilled"}
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	script := fmt.Sprintf(unifiedInit, dir, "^("+strings.Join(names, "|")+")$")
	if err := os.WriteFile(filepath.Join(dir, "init"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tests"), self, 0o755)
	}
	if err == nil {
		err = os.WriteFile(disk, nil, 0o600)
	}
	if err == nil {
		err = os.Truncate(disk, 96<<20)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", "-F", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, uml, "mem=1G", "rootfstype=hostfs", "root=/dev/root", "ro", "ubd0="+disk, "init="+dir+"/init",
		"con=null", "con0=null,fd:1", "ssl=null", "quiet")
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(syscall.SIGTERM) }, 5*time.Second
	out, _ := c.CombinedOutput() // its exit code says little
	text := string(out)
	for _, want := range append(names, "Linux ", "all done") {
		n := 2
		if strings.HasPrefix(want, "Test") {
			want = "--- PASS: " + want + " ("
		} else {
			n = 1
		}
		if got := strings.Count(text, want); got < n {
			t.Errorf("%q is there %d times, want %d", want, got, n)
		}
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("%s", text)
	}
}
