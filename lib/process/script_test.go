package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStartExplains starts files that the kernel refuses, and checks the reasons.
func TestStartExplains(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text string
		mode       fs.FileMode
		number     error
		want       string
	}{
		{"no interpreter", "#!/no/such/shell -e\ntrue\n", 0o755, unix.ENOENT, "its interpreter '/no/such/shell' does not exist"},
		{"spaces", "#! \t/no/such/shell\ntrue\n", 0o755, unix.ENOENT, "its interpreter '/no/such/shell' does not exist"},
		{"one line", "#!/no/such/shell", 0o755, unix.ENOENT, "its interpreter '/no/such/shell' does not exist"},
		{"below a file", "#!/dev/null/sh\n", 0o755, unix.ENOTDIR, "its interpreter '/dev/null/sh' does not exist"},
		{"CR LF", "#!/bin/sh\r\ntrue\r\n", 0o755, unix.ENOENT, "its first line ends in CR LF: save it with LF alone"},
		{"interpreter is not executable", "#!./plain\n", 0o755, unix.EACCES, "its interpreter './plain' cannot be run: permission denied"},
		{"empty line", "#!\n", 0o755, unix.ENOEXEC, "its first line names no interpreter"},
		{"byte order mark", "\ufeff#!/bin/sh\n", 0o755, unix.ENOEXEC, "its first line begins with a byte order mark"},
		{"no script", "true\n", 0o755, unix.ENOEXEC, "it is neither a program for this machine nor a script that begins with '#!'"},
		{"not executable", "#!/bin/sh\n", 0o644, unix.EACCES, "permission denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := strings.ReplaceAll(test.name, " ", "-")
			if err := os.WriteFile(filepath.Join(dir, name), []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			checkStart(t, &exec.Cmd{Path: "./" + name, Args: []string{name}, Dir: dir}, test.number, test.want)
		})
	}
	checkStart(t, &exec.Cmd{Path: "./none", Args: []string{"none"}, Dir: dir}, unix.ENOENT, "no such file or directory")
	gone := filepath.Join(dir, "gone")
	checkStart(t, &exec.Cmd{Path: "/bin/sh", Args: []string{"sh"}, Dir: gone}, unix.ENOENT, "its working directory '"+gone+"' does not exist")
}

func checkStart(t *testing.T, cmd *exec.Cmd, number error, want string) {
	t.Helper()
	_, err := Start(cmd)
	var failed *fs.PathError
	if !errors.As(err, &failed) || !errors.Is(err, number) || failed.Err.Error() != want {
		t.Errorf("the error is %v, want %q", err, want)
	}
}
