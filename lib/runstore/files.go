package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"quire/lib/file"
	"quire/lib/text"
)

// filesFile lists the files that the push of a run changed: one a line, escaped, and an
// empty line at the end. A file without that line is incomplete and counts as absent.
const filesFile = "files-changed"

// SaveFiles saves the names of the files that the push changed, so that a rerun gets the
// same ones even if the branches have moved. nil means unknown and saves nothing. Nothing is
// synced.
func (r *Run) SaveFiles(files []string) error {
	if files == nil {
		return nil
	}
	var lines strings.Builder
	for _, name := range files {
		lines.WriteString(text.Escape(name) + "\n")
	}
	lines.WriteString("\n")
	if err := file.Write(filepath.Join(r.Dir, filesFile), []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("cannot save files of run %s: %w", r.ID, text.Cause(err))
	}
	return nil
}

// SavedFiles returns the names that SaveFiles saved, nil if they are missing or incomplete.
func (r *Run) SavedFiles() ([]string, error) {
	data, err := file.Read(filepath.Join(r.Dir, filesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read files of run %s: %w", r.ID, text.Cause(err))
	}
	lines, whole := strings.CutSuffix("\n"+string(data), "\n\n")
	if !whole {
		return nil, nil
	}
	files := []string{}
	for line := range strings.SplitSeq(strings.TrimPrefix(lines, "\n"), "\n") {
		if line != "" {
			files = append(files, text.Unescape(line))
		}
	}
	return files, nil
}
