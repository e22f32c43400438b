package workspace

import (
	"context"
	"errors"
	"strings"

	"quire/lib/git"
)

// filtered tells which files git itself must write, since attributes change
// their contents on the way out: line endings, ident, encodings, filters.
type filtered struct {
	all   bool                // every file may be changed
	paths map[string]struct{} // or these
	index *git.Index          // through which git writes them; nil where there are none
}

func (f *filtered) has(path string) bool {
	_, ok := f.paths[path]
	return ok || f.all
}

// split divides files of p into those to write here and the paths of those that git
// writes. Symbolic links are never changed.
func (f *filtered) split(p *plan, files []todo) (plain []todo, byGit []string) {
	if f.index == nil {
		return files, nil
	}
	for _, t := range files {
		file := &p.files[t.file]
		path := p.path(file)
		if file.mode != git.ModeLink && f.has(path) {
			byGit = append(byGit, path)
		} else {
			plain = append(plain, t)
		}
	}
	return plain, byGit
}

// attributes are those that change contents at a checkout. "text" alone does not
// where lines end as on this system, and "eol" does where it is "crlf".
var attributes = []string{"filter", "ident", "eol", encodingWord}

// findFiltered looks for files that attributes change. Only those are asked git
// about that a line of some attribute file may be about, see attributePatterns:
// of most repositories that is none.
func (m *materializer) findFiltered(ctx context.Context) (*filtered, error) {
	all, err := m.crlfByConfig()
	if err != nil {
		return nil, err
	}
	patterns, err := m.attributePatterns()
	if err != nil {
		return nil, err
	}
	f := &filtered{all: all, paths: map[string]struct{}{}}
	var entries []git.IndexEntry
	var paths []string
	for i := range m.plan.files {
		file := &m.plan.files[i]
		asked := file.mode != git.ModeLink && (all || patterns.match(file.name))
		if asked {
			paths = append(paths, m.plan.path(file))
		}
		if asked || file.name == attributeFile {
			entries = append(entries, git.IndexEntry{Mode: file.mode, OID: file.oid, Path: m.plan.path(file)})
		}
	}
	if len(paths) == 0 {
		return f, nil
	}
	if f.index, err = m.repo.NewIndex(m.stage.path("index"), entries); err != nil {
		return nil, err
	}
	f.index.LFS, f.index.Serial = m.options.LFS, patterns.encodings
	if all {
		return f, nil
	}
	var configErr error
	err = f.index.Attributes(ctx, attributes, paths, func(path, name, value string) {
		changes, err := m.changes(name, value)
		configErr = errors.Join(configErr, err)
		if changes {
			f.paths[path] = struct{}{}
		}
	})
	return f, errors.Join(err, configErr)
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
