package capability

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNumbersAreTheKernels(t *testing.T) {
	for name, want := range map[string]int{
		"cap_chown": unix.CAP_CHOWN, "cap_kill": unix.CAP_KILL, "cap_setpcap": unix.CAP_SETPCAP, "cap_net_bind_service": unix.CAP_NET_BIND_SERVICE,
		"cap_net_raw": unix.CAP_NET_RAW, "cap_sys_module": unix.CAP_SYS_MODULE, "cap_sys_ptrace": unix.CAP_SYS_PTRACE, "cap_sys_admin": unix.CAP_SYS_ADMIN,
		"cap_sys_time": unix.CAP_SYS_TIME, "cap_mknod": unix.CAP_MKNOD, "cap_setfcap": unix.CAP_SETFCAP, "cap_mac_admin": unix.CAP_MAC_ADMIN,
		"cap_syslog": unix.CAP_SYSLOG, "cap_audit_read": unix.CAP_AUDIT_READ, "cap_bpf": unix.CAP_BPF, "cap_checkpoint_restore": unix.CAP_CHECKPOINT_RESTORE,
	} {
		if n, ok := Number(name); !ok || n != want {
			t.Errorf("%s is %d, %v; want %d", name, n, ok, want)
		}
	}
	if Last != unix.CAP_LAST_CAP {
		t.Errorf("the last is %d, of x/sys %d", Last, unix.CAP_LAST_CAP)
	}
}
