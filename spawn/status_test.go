package spawn

import (
	"errors"
	"syscall"
	"testing"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		status   ExitStatus
		text     string
		shell    int
		success  bool
		signaled bool
	}{
		{ExitStatus{Source: FromKernel}, "exit status 0", 0, true, false},
		{ExitStatus{Code: 7, Source: FromKernel}, "exit status 7", 7, false, false},
		{ExitStatus{Code: 137, Source: FromKernel}, "exit status 137", 137, false, false},
		{ExitStatus{Code: 255, Source: FromBackend}, "exit status 255", 255, false, false},
		{ExitStatus{Code: -1, Signal: syscall.SIGKILL, Source: FromKernel}, "signal: killed", 137, false, true},
		{ExitStatus{Code: -1, Signal: syscall.SIGTERM, Source: FromKernel}, "signal: terminated", 143, false, true},
		{ExitStatus{Code: -1, Signal: syscall.SIGSEGV, Core: true, Source: FromKernel}, "signal: segmentation fault (core dumped)", 139, false, true},
		{ExitStatus{Code: -1, Signal: 64, Source: FromKernel}, "signal: signal 64", 192, false, true},
		{LostStatus("the keeper was killed"), "lost: the keeper was killed", 125, false, false},
		// Nobody should make these; they must not look like a success.
		{ExitStatus{Code: 0, Source: Lost, Reason: "r"}, "lost: r", 125, false, false},
		{ExitStatus{Code: 0, Signal: syscall.SIGKILL}, "signal: killed", 137, false, true},
	}
	for _, tt := range tests {
		s := tt.status
		if s.String() != tt.text || s.ShellCode() != tt.shell || s.Success() != tt.success || s.Signaled() != tt.signaled {
			t.Errorf("%#v: %q, shell %d, success %v, signaled %v, want %q, %d, %v, %v",
				s, s.String(), s.ShellCode(), s.Success(), s.Signaled(), tt.text, tt.shell, tt.success, tt.signaled)
		}
	}
}

func TestLostStatusClaimsNothing(t *testing.T) {
	s := LostStatus("r")
	if s.Code != -1 || s.Source != Lost || s.Reason != "r" || s.Signal != 0 {
		t.Errorf("got %#v", s)
	}
}

func TestExitError(t *testing.T) {
	e := error(&ExitError{ExitStatus: ExitStatus{Code: 7, Source: FromKernel}})
	if e.Error() != "exit status 7" || errors.Is(e, ErrLost) {
		t.Errorf("got %v", e)
	}
	var ee *ExitError
	if !errors.As(e, &ee) || ee.ExitCode() != 7 {
		t.Errorf("got %#v", ee)
	}
	lost := error(&ExitError{ExitStatus: LostStatus("the keeper was killed")})
	if !errors.Is(lost, ErrLost) || lost.Error() != "lost: the keeper was killed" {
		t.Errorf("got %v", lost)
	}
	killed := &ExitError{ExitStatus: ExitStatus{Code: -1, Signal: syscall.SIGKILL, Source: FromKernel}}
	if killed.ExitCode() != -1 || errors.Is(killed, ErrLost) {
		t.Errorf("got %#v", killed)
	}
}
