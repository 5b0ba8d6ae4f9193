package lane

import (
	"bytes"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPutRights(t *testing.T) {
	var s scratch
	for _, tc := range []struct {
		first int
		fds   []int
	}{
		{-1, nil}, {-1, []int{7}}, {9, nil}, {9, []int{7, 8}}, {-1, []int{1, 2, 3}}, {9, make([]int, MaxFDs)},
	} {
		want := tc.fds
		if tc.first >= 0 {
			want = append([]int{tc.first}, want...)
		}
		got := putRights(s.oob(), tc.first, tc.fds)
		if len(want) == 0 {
			if got != nil {
				t.Errorf("nothing to send: %x", got)
			}
			continue
		}
		if !bytes.Equal(got, syscall.UnixRights(want...)) {
			t.Errorf("%v: got %x", want, got)
		}
		clear(s.control[:])
	}
}

func TestAppendRights(t *testing.T) {
	cat := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	two, three := syscall.UnixRights(5, 6), syscall.UnixRights(7, 8, 9)
	cred := syscall.UnixCredentials(new(syscall.Ucred))
	pidfd := retype(syscall.UnixRights(3), unix.SCM_PIDFD)
	badPidfd := retype(syscall.UnixRights(-3), unix.SCM_PIDFD)
	tooLong := slices.Clone(two)
	tooLong[0]++
	tooLong = tooLong[:syscall.CmsgLen(8)]
	tooShort := slices.Clone(two)
	tooShort[0] = byte(syscall.CmsgLen(0) - 1)
	for name, tc := range map[string]struct {
		oob  []byte
		want []int
		ok   bool
	}{
		"nothing":         {nil, nil, true},
		"one list":        {two, []int{5, 6}, true},
		"odd list":        {three, []int{7, 8, 9}, true},
		"without padding": {three[:syscall.CmsgLen(12)], []int{7, 8, 9}, true},
		"two lists":       {cat(three, two), []int{7, 8, 9, 5, 6}, false},
		"others first":    {cat(cred, two), []int{5, 6}, false},
		"others last":     {cat(two, cred), []int{5, 6}, false},
		"pidfd":           {cat(pidfd, two), []int{3, 5, 6}, false},
		"no pidfd":        {badPidfd, nil, false},
		"beyond the end":  {tooLong, []int{5, 6}, false},
		"shorter than it": {tooShort, nil, false},
	} {
		got, ok := appendRights(nil, tc.oob)
		if !slices.Equal(got, tc.want) || ok != tc.ok {
			t.Errorf("%s: got %v, %v, want %v, %v", name, got, ok, tc.want, tc.ok)
		}
	}
}

// retype makes another control message of oob.
func retype(oob []byte, typ byte) []byte {
	oob[syscall.CmsgLen(0)-4] = typ
	return oob
}
