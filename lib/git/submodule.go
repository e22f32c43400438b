package git

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// A Submodule is what gitmodules(5) says of one.
type Submodule struct {
	Name, Path, URL string
}

// Submodules reads a .gitmodules file, given by the id of its blob. Whoever pushed
// wrote it.
func (r *Repo) Submodules(ctx context.Context, blob string) ([]Submodule, error) {
	out, err := r.output(ctx, "config", "--blob="+blob, "--list", "-z")
	if err != nil {
		return nil, fmt.Errorf("cannot read .gitmodules: %w", err)
	}
	var list []Submodule
	at := map[string]int{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		rest, ok := strings.CutPrefix(key, "submodule.")
		last := strings.LastIndexByte(rest, '.')
		if !ok || last < 0 {
			continue
		}
		name := rest[:last]
		i, known := at[name]
		if !known {
			i = len(list)
			at[name] = i
			list = append(list, Submodule{Name: name})
		}
		switch rest[last+1:] {
		case "path":
			list[i].Path = value
		case "url":
			list[i].URL = value
		}
	}
	return list, nil
}

// SubmoduleRepo opens the repository of a submodule, which must be on this
// machine: nothing is fetched. It is at submodule.NAME.url of r's configuration,
// which is its owner's, or else at the URL that .gitmodules has, which must be
// relative, and is from r on: "../lib.git" is beside it.
func (r *Repo) SubmoduleRepo(s Submodule) (*Repo, error) {
	dir, ok, err := r.Config("submodule." + s.Name + ".url")
	if err != nil {
		return nil, err
	}
	if !ok {
		if !strings.HasPrefix(s.URL, "./") && !strings.HasPrefix(s.URL, "../") {
			return nil, fmt.Errorf("its URL %s is not relative, and the repository's configuration has none", quoted(s.URL))
		}
		dir = s.URL
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.dir, dir)
	}
	return Open(dir)
}
