package workspace

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"quire/lib/git"
)

// filtered tells which files git itself must write, since attributes change
// their contents on the way out: line endings, ident, encodings, filters. Only those are
// asked git about that a line of some attribute file may be about, see attributePatterns:
// of most repositories that is none. Git answers while others are looked after.
type filtered struct {
	index  *git.Index     // through which git writes files; nil where there are none
	all    bool           // of those asked about
	asked  map[int32]bool // files that may be changed, by index; no links
	answer func() (changed, error)
}

// changed are the files that are, by index, each with the id that a record has for it:
// of its object and how that is changed; "" where a program does it, which may do something
// else every time.
type changed map[int32]string

// of reports whether git must write the file, and the id that a record has for that; ""
// where it has none. Where that cannot be found out, answer says why.
func (f *filtered) of(file int32) (id string, byGit bool) {
	if f.all || !f.asked[file] {
		return "", f.asked[file]
	}
	changed, _ := f.answer()
	id, byGit = changed[file]
	return id, byGit
}

// attributes are those that decide what becomes of contents at a checkout. The last two
// change nothing by themselves where lines end as on this system.
var attributes = []string{"filter", "ident", "eol", encodingWord, "text", "crlf"}

// findFiltered looks for files that attributes change. What looks on ends with ctx, and
// answer waits for that, too.
func (m *materializer) findFiltered(ctx context.Context) (*filtered, error) {
	all, err := m.crlfByConfig()
	if err != nil {
		return nil, err
	}
	patterns, err := m.attributePatterns()
	if err != nil {
		return nil, err
	}
	f := &filtered{all: all, asked: map[int32]bool{}, answer: func() (changed, error) { return nil, nil }}
	var entries []git.IndexEntry
	paths := map[string]int32{}
	for i := range m.plan.files {
		file := &m.plan.files[i]
		asked := file.mode != git.ModeLink && (all || patterns.match(file.name))
		if !asked && file.name != attributeFile {
			continue
		}
		path := m.plan.path(file)
		if asked {
			f.asked[int32(i)], paths[path] = true, int32(i)
		}
		entries = append(entries, git.IndexEntry{Mode: file.mode, OID: file.oid, Path: path})
	}
	if len(paths) == 0 {
		return f, nil
	}
	if f.index, err = m.repo.NewIndex(m.stage.path("index"), entries); err != nil {
		return nil, err
	}
	f.index.LFS, f.index.Serial = m.options.LFS, patterns.encodings
	if !all {
		f.answer = sync.OnceValues(func() (changed, error) { return m.findChanged(ctx, f.index, paths) })
		go f.answer()
	}
	return f, nil
}

// findChanged asks git which of the paths, each with the index of a file, are changed.
func (m *materializer) findChanged(ctx context.Context, index *git.Index, paths map[string]int32) (changed, error) {
	found := changed{}
	var configErr error
	err := index.Attributes(ctx, attributes, slices.Sorted(maps.Keys(paths)), func(path string, values []string) {
		changes, program := false, false
		for i, name := range attributes {
			does, err := m.changes(name, values[i])
			configErr = errors.Join(configErr, err)
			changes, program = changes || does, program || does && name == "filter"
		}
		file := paths[path]
		switch {
		case program:
			found[file] = ""
		case changes:
			oid := m.plan.files[file].oid
			h := git.ObjectHash(oid, "checkout", 0) // no kind that git has
			fmt.Fprintf(h, "%s %q", oid, values)
			found[file] = hex.EncodeToString(h.Sum(nil))
		}
	})
	return found, errors.Join(err, configErr)
}

// lfs is the name of Git LFS's filter.
const lfs = "lfs"

// crlfByConfig reports whether the configuration alone makes lines of text end in CRLF.
func (m *materializer) crlfByConfig() (bool, error) {
	autocrlf, _, err := m.repo.Config("core.autocrlf")
	if err != nil {
		return false, err
	}
	eol, _, err := m.repo.Config("core.eol")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(autocrlf) {
	case "", "false", "no", "off", "0", "input":
		return strings.EqualFold(eol, "crlf"), nil
	}
	return true, nil
}

// changes reports whether a file with the attribute changes at a checkout.
func (m *materializer) changes(name, value string) (bool, error) {
	switch value {
	case "unspecified", "unset":
		return false, nil
	}
	switch name {
	case "filter":
		runs, err := m.filterRuns(value)
		if err == nil && !runs && value == lfs && m.options.LFS {
			err = errors.New("it has files of Git LFS, for which the configuration has no filter: see git-lfs-install(1)")
		}
		return runs, err
	case "ident":
		return value == "set", nil
	case "eol":
		return value == "crlf", nil
	case "text", "crlf":
		return false, nil
	}
	return true, nil
}

// filterRuns reports whether the configuration has the filter: a name alone, which
// is all that pushed content can give, runs nothing.
func (m *materializer) filterRuns(name string) (bool, error) {
	if name == lfs && !m.options.LFS {
		return false, nil // switched off, see git.Index
	}
	for _, key := range []string{"smudge", "process", "required"} {
		value, ok, err := m.repo.Config("filter." + name + "." + key)
		if err != nil || ok && value != "" && value != "false" {
			return true, err
		}
	}
	return false, nil
}

// filterMatters reports whether the paths of a filter are to be asked for: where it
// runs, and where it should.
func (m *materializer) filterMatters(name string) (bool, error) {
	if name == lfs {
		return m.options.LFS, nil
	}
	return m.filterRuns(name)
}
