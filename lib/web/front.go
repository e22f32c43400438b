package web

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/runstore"
)

// A repoRow is a repository on the front page.
type repoRow struct {
	Name    string
	Main    *runstore.Record // the newest run of the default branch; nil without runs
	Subject string
	Others  []runstore.Record // the newest runs of other refs, newest first
	refs    []runstore.Record // the newest run of each ref, newest first
}

// maxOthers is the number of other refs that the front page shows of a repository.
const maxOthers = 5

// frontRefs is the number of refs on a page of repositories. It keeps the page below 30 kB.
// A default branch counts twice, since its row has more text.
const frontRefs = 140

// A frontData is a page of repositories.
type frontData struct {
	Rows           []*repoRow
	Previous, Next string // addresses; "" for none
}

// front writes a page of the repositories. The repository with the newest run is first.
func (v *visit) front() error {
	rows := map[string]*repoRow{}
	for _, name := range v.linked() {
		rows[name] = &repoRow{Name: name}
	}
	for rec, err := range v.list(runstore.Filter{Newest: true}) {
		switch {
		case err != nil:
			v.Log(err)
		case v.shows(rec.Repo):
			if rows[rec.Repo] == nil {
				rows[rec.Repo] = &repoRow{Name: rec.Repo}
			}
			rows[rec.Repo].refs = append(rows[rec.Repo].refs, rec)
		}
	}
	list := slices.SortedFunc(maps.Values(rows), func(a, b *repoRow) int {
		return cmp.Or(strings.Compare(b.newest(), a.newest()), strings.Compare(a.Name, b.Name))
	})
	wanted := max(1, v.number("page"))
	var d frontData
	page, refs := 1, 0
	for _, row := range list {
		row.choose()
		refs += 2 + len(row.Others)
		if refs > frontRefs {
			page, refs = page+1, 2+len(row.Others)
		}
		if page > wanted {
			v.more = true
			d.Next = v.frontPageURL(page)
			break
		}
		if page == wanted {
			if row.Main != nil {
				row.Subject = v.subject(*row.Main)
			}
			d.Rows = append(d.Rows, row)
		}
	}
	if wanted > 1 {
		d.Previous = v.frontPageURL(wanted - 1)
	}
	if wanted > page {
		return errNotFound
	}
	return v.page("front", "Repositories", &d)
}

// frontPageURL returns the address of the page of repositories with this number.
func (v *visit) frontPageURL(n int) string {
	switch {
	case n == 1:
		return v.FrontURL()
	case v.static:
		return fmt.Sprintf("page-%d.html", n)
	}
	return fmt.Sprintf("?page=%d", n)
}

func (r *repoRow) newest() string {
	if len(r.refs) == 0 {
		return ""
	}
	return r.refs[0].ID
}

// choose separates the default branch from the other refs.
func (r *repoRow) choose() {
	i := defaultRef(r.refs)
	if i < 0 {
		return
	}
	r.Main = &r.refs[i]
	r.Others = slices.Concat(r.refs[:i], r.refs[i+1:])
	r.Others = r.Others[:min(maxOthers, len(r.Others))]
}

// defaultRef returns the index of the run of the default branch, -1 without runs. Since
// quire-web reads no repository, the default branch is "main", else "master", else the
// branch that was pushed last.
func defaultRef(runs []runstore.Record) int {
	best, rank := -1, 0
	for i, r := range runs {
		own := 1
		switch name, isBranch := strings.CutPrefix(r.Ref, "refs/heads/"); {
		case name == "main":
			own = 4
		case name == "master":
			own = 3
		case isBranch:
			own = 2
		}
		if own > rank {
			best, rank = i, own
		}
	}
	return best
}

// subject returns the subject of the commit of a run, or else its id.
func (v *visit) subject(rec runstore.Record) string {
	if run, err := v.store.Run(rec.Repo, rec.ID); err == nil && run.Subject != "" {
		return run.Subject
	}
	return rec.SHA[:min(12, len(rec.SHA))]
}

// linked returns the names of the shown repositories in repos/ of the root. It recognizes a
// repository by the names of its files, and opens none of them.
func (v *visit) linked() []string {
	var names []string
	var look func(dir, prefix string, depth int)
	look = func(dir, prefix string, depth int) {
		entries, _ := os.ReadDir(dir) // quire-runstate doctor reports dangling links
		for _, e := range entries {
			name, where := path.Join(prefix, e.Name()), filepath.Join(dir, e.Name())
			switch {
			case isRepository(where):
				if v.shows(name) {
					names = append(names, name)
				}
			case depth > 0:
				look(where, name, depth-1)
			}
		}
	}
	look(filepath.Join(v.Root, "repos"), "", 8)
	return names
}

// isRepository reports whether a directory looks like a repository of Git, or like a
// working copy.
func isRepository(dir string) bool {
	for _, name := range []string{"HEAD", ".git"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}
