package web

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/file"
	"quire/lib/runstore"
	"quire/lib/text"
)

// listName is the file of an export that lists the others. Its first line names the program
// and the configuration. Each other line is the path of a file. A file with a '+' before its
// path may be missing or incomplete, because the process that wrote it may have been killed.
const listName = ".quire-web"

const newList = listName + ".new"

// files are the files of an export.
type files struct {
	dir     string
	list    *os.File // locked
	header  string
	same    bool                // the last export was of the same program and configuration
	old     map[string]bool     // the files of the last export; false: the file may be incomplete
	current map[string]bool     // the files of this export
	runs    map[string][]string // the files in old of each run, by REPO/ID
	changed bool
}

// openFiles locks the directory of an export, and creates it if it is missing.
func openFiles(dir, header string) (*files, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, text.Cause(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, text.Cause(err)
	}
	name := filepath.Join(dir, listName)
	if _, err := os.Lstat(name); err != nil && len(entries) > 0 {
		return nil, errors.New("it is neither empty nor an export of quire-web")
	}
	x := &files{dir: dir, header: header, old: map[string]bool{}, current: map[string]bool{}, runs: map[string][]string{}}
	if x.list, err = file.OpenLockFile(name, file.Exclusive, false); errors.Is(err, file.ErrBusy) {
		return nil, errors.New("another process exports to it")
	} else if err != nil {
		return nil, text.Cause(err)
	}
	data, err := file.Read(name)
	if err == nil && len(data) == 0 {
		_, err = fmt.Fprintln(x.list, header)
		data = []byte(header + "\n")
	}
	if err != nil {
		x.list.Close()
		return nil, text.Cause(err)
	}
	x.read(string(data))
	return x, nil
}

// read reads the list. A path that leads out of the directory is ignored.
func (x *files) read(list string) {
	header, rest, _ := strings.Cut(list, "\n")
	x.same = header == x.header
	for line := range strings.Lines(rest) {
		name, part := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "+")
		if name = text.Unescape(name); !filepath.IsLocal(name) {
			continue
		}
		x.old[name] = !part
		if run := runOf(name); run != "" {
			x.runs[run] = append(x.runs[run], name)
		}
	}
}

// runOf returns the run that a file belongs to, as REPO/ID; "" if there is none.
func runOf(name string) string {
	at := 0
	for part := range strings.SplitSeq(name, "/") {
		if id := strings.TrimSuffix(strings.TrimSuffix(part, ".html"), ".json"); runstore.IsID(id) {
			return name[:at] + id
		}
		at += len(part) + 1
	}
	return ""
}

// reuse reports whether the last export wrote all pages of a run. If it did, this export has
// them too.
func (x *files) reuse(run string) bool {
	names := x.runs[run]
	if !x.same || !x.old[run+".html"] || slices.ContainsFunc(names, func(n string) bool { return !x.old[n] }) {
		return false
	}
	for _, name := range names {
		x.current[name] = true
	}
	return true
}

// write writes a file, unless it already has this content. Readers see the old file or the
// new one.
func (x *files) write(name string, data []byte) error {
	x.current[name] = true
	path := filepath.Join(x.dir, name)
	whole, listed := x.old[name]
	if has, err := os.ReadFile(path); listed && err == nil && bytes.Equal(has, data) {
		return nil
	}
	x.changed = true
	if !listed || whole {
		x.old[name] = false
		if _, err := fmt.Fprintf(x.list, "+%s\n", text.Escape(name)); err != nil {
			return text.Cause(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return text.Cause(err)
	}
	return x.replace(name, data)
}

func (x *files) replace(name string, data []byte) error {
	err := file.ReplaceUnsynced(filepath.Join(x.dir, name), filepath.Join(x.dir, newList), 0o644, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	return text.Cause(err)
}

// finish removes the files that only the last export has, and writes the list. If pages are
// missing from this export, it removes nothing.
func (x *files) finish(missing bool) error {
	var failures []error
	for name := range x.old {
		if x.current[name] {
			continue
		}
		if missing {
			x.current[name] = true
			continue
		}
		x.changed = true
		path := filepath.Join(x.dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, fmt.Errorf("cannot remove '%s': %w", path, text.Cause(err)))
			x.current[name] = true
			continue
		}
		for dir := filepath.Dir(name); dir != "." && os.Remove(filepath.Join(x.dir, dir)) == nil; dir = filepath.Dir(dir) {
		}
	}
	if !x.changed && x.same {
		return nil
	}
	if err := file.SyncAll(x.dir); err != nil {
		return errors.Join(append(failures, text.Cause(err))...)
	}
	var list strings.Builder
	list.WriteString(x.header + "\n")
	for _, name := range slices.Sorted(maps.Keys(x.current)) {
		if missing {
			list.WriteByte('+')
		}
		list.WriteString(text.Escape(name) + "\n")
	}
	return errors.Join(append(failures, x.replace(listName, []byte(list.String())))...)
}
