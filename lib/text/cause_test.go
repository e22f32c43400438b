package text

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCause(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, open := os.Open(missing)
	_, look := exec.LookPath("quire-no-such-program")
	_, lookPath := exec.LookPath(missing)
	other := errors.New("other")
	for _, test := range []struct{ err, want error }{
		{open, fs.ErrNotExist},
		{fmt.Errorf("cannot read: %w", open), fs.ErrNotExist},
		{os.Rename(missing, missing+"2"), fs.ErrNotExist},
		{os.NewSyscallError("syncfs", unix.EIO), unix.EIO},
		{exec.Command(missing).Run(), fs.ErrNotExist},
		{look, exec.ErrNotFound},
		{lookPath, fs.ErrNotExist},
		{other, other},
		{nil, nil},
	} {
		got := Cause(test.err)
		if !errors.Is(got, test.want) {
			t.Errorf("the cause of %v is %v", test.err, got)
		}
		if errno := (unix.Errno(0)); errors.As(test.want, &errno) && got.Error() != errno.Error() {
			t.Errorf("the cause of %v is %v", test.err, got)
		}
		if test.want == fs.ErrNotExist && got.Error() != unix.ENOENT.Error() {
			t.Errorf("the cause of %v is %v", test.err, got)
		}
	}
}
