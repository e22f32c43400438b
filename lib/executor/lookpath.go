package executor

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// lookPath finds the command name as execvp(3) does, in the job's PATH instead of quire's
// own. Relative entries of PATH, and a name with a slash, are relative to dir, the
// command's directory. The errors are exec.ErrNotFound and fs.ErrPermission.
func lookPath(name, path, dir string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil // exec.Cmd resolves it from its Dir
	}
	found := exec.ErrNotFound
	for _, entry := range filepath.SplitList(path) {
		file := filepath.Join(entry, name)
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		info, err := os.Stat(file)
		switch {
		case err != nil, info.IsDir(), name == "":
		case info.Mode()&0o111 == 0:
			found = &fs.PathError{Op: "exec", Path: file, Err: syscall.EACCES}
		default:
			return file, nil
		}
	}
	return "", found
}
