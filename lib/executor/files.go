package executor

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"quire/lib/text"
)

// maxFile is the size of the largest file that read-file and read-json accept, in bytes.
const maxFile = 16 << 20

// A workspace is the directory of a job's commands. The paths of a job are relative to it.
type workspace struct {
	dir  string // absolute
	root *os.Root
}

func openWorkspace(dir string) (*workspace, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open workspace '%s': %w", dir, text.Cause(err))
	}
	return &workspace{dir, root}, nil
}

func (w *workspace) close() { w.root.Close() }

// local returns path relative to the workspace. It is an error if path is outside, and
// os.Root refuses symbolic links that lead outside.
func (w *workspace) local(path string) (string, error) {
	name := path
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(w.dir, name)
		if err != nil {
			return "", err
		}
		name = rel
	}
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("'%s' is outside the workspace", path)
	}
	return name, nil
}

// readFile returns the contents of a file of the workspace.
func (w *workspace) readFile(path string) (string, error) {
	name, err := w.local(path)
	if err != nil {
		return "", err
	}
	// O_NONBLOCK: opening a named pipe must not wait for a writer. It is refused below.
	file, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("cannot read '%s': %w", path, text.Cause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read '%s': %w", path, text.Cause(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("cannot read '%s': not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read '%s': %w", path, text.Cause(err))
	case len(data) > maxFile:
		return "", fmt.Errorf("cannot read '%s': larger than %d MiB", path, maxFile>>20)
	}
	return string(data), nil
}

// readJSON returns the value of a JSON file of the workspace.
func (w *workspace) readJSON(path string) (value, error) {
	text, err := w.readFile(path)
	if err != nil {
		return nil, err
	}
	v, err := decodeData([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("cannot read '%s': %w", path, err)
	}
	return v, nil
}

// writeFile writes content to a file of the workspace, and creates the
// directories above it.
func (w *workspace) writeFile(path, content string) error {
	name, err := w.local(path)
	if err != nil {
		return err
	}
	if err := w.root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return fmt.Errorf("cannot write '%s': %w", path, text.Cause(err))
	}
	if info, err := w.root.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("cannot write '%s': not a regular file", path)
	}
	if err := w.root.WriteFile(name, []byte(content), 0o666); err != nil {
		return fmt.Errorf("cannot write '%s': %w", path, text.Cause(err))
	}
	return nil
}
