package git

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// A Submodule is an entry of a .gitmodules file, see gitmodules(5).
type Submodule struct {
	Name, Path, URL string
}

// Submodules reads a .gitmodules file, given by the id of its blob. Its content is chosen by
// the pusher.
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

// SubmoduleRepo opens the repository of a submodule, which must be on this machine: quire
// fetches nothing. Its path is submodule.NAME.url in r's configuration, which r's owner
// controls. Without that, it is the URL in .gitmodules, which must be relative to r:
// "../lib.git" is next to r.
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
