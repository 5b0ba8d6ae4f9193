package capability

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestSets(t *testing.T) {
	tests := []struct {
		text string
		want Set
		back string
	}{
		{"", 0, "none"}, {"none", 0, "none"},
		{"cap_chown", 1, "cap_chown"},
		{"CAP_NET_ADMIN, checkpoint_restore", 1<<12 | 1<<40, "cap_net_admin,cap_checkpoint_restore"},
		{"all", 1<<41 - 1, All().String()},
	}
	for _, tt := range tests {
		s, err := Parse(tt.text)
		if err != nil || s != tt.want || s.String() != tt.back {
			t.Errorf("Parse(%q) = %v (%#x), %v; want %s", tt.text, s, uint64(s), err, tt.back)
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Errorf("Parse(%q) = %v, %v", s, again, err)
		}
	}
	if _, err := Parse("cap_chown,cap_everything"); err == nil || !strings.Contains(err.Error(), `no capability "cap_everything": they are cap_chown, `) {
		t.Errorf("error = %v", err)
	}
	if s := Set(1<<63 | 1<<5); s.String() != "cap_kill,63" {
		t.Errorf("one without a name: %s", s)
	}
}

// TestKernelKnowsThem: there may be more, not fewer, on kernels from 5.9 on.
func TestKernelKnowsThem(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		t.Skip("needs Linux: ", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < Last || len(Names()) != Last+1 {
		t.Errorf("the kernel's last is %d, %v; there are %d names up to %d", n, err, len(Names()), Last)
	}
}

func TestSecurebits(t *testing.T) {
	const want = "noroot,noroot_locked,no_setuid_fixup,no_setuid_fixup_locked,keep_caps_locked,no_cap_ambient_raise,no_cap_ambient_raise_locked"
	if Sealed != 0xef || Sealed.String() != want {
		t.Errorf("%#x: %s", uint32(Sealed), Sealed)
	}
	if s := Securebits(0x100); s.String() != "0x100" || Securebits(0).String() != "none" {
		t.Errorf("%s, %s", s, Securebits(0))
	}
}
