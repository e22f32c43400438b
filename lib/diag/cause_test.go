package diag

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCause(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, open := os.Open(missing)
	_, look := exec.LookPath("quire-no-such-program")
	other := errors.New("other")
	for _, test := range []struct{ err, want error }{
		{open, errors.Unwrap(open)},
		{look, exec.ErrNotFound},
		{other, other},
	} {
		if got := Cause(test.err); got != test.want {
			t.Errorf("the cause of %v is %v", test.err, got)
		}
	}
	if !errors.Is(Cause(open), fs.ErrNotExist) {
		t.Errorf("it is not %v", fs.ErrNotExist)
	}
}
