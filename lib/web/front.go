package web

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/runstore"
)

// A branch is the newest run of a ref.
type branch struct{ runstore.Record }

// A repoRow is a repository on the front page.
type repoRow struct {
	Name    string
	Main    *branch // of the default branch; nil without runs
	Subject string
	Others  []branch // of other refs, newest first
	refs    []branch // newest first
}

// maxOthers is how many other refs the front page shows of a repository.
const maxOthers = 5

// frontRuns is how many runs the front page looks at for other refs. It looks further only
// for the newest run of a repository.
const frontRuns = 20_000

// front writes the page with all repositories, the one with the newest run first.
func (v *visit) front() error {
	rows := map[string]*repoRow{}
	missing := 0 // repositories that have runs of which none was found yet
	for _, name := range v.linked() {
		rows[name] = &repoRow{Name: name}
		if _, err := os.Stat(filepath.Join(v.Root, "runs", name)); err == nil {
			missing++
		}
	}
	n := 0
	for rec, err := range v.list(runstore.Filter{}) {
		if err != nil {
			v.Log(err)
			continue
		}
		if n++; n > frontRuns && missing <= 0 {
			break
		}
		row := rows[rec.Repo]
		if row == nil {
			if !v.shows(rec.Repo) {
				continue
			}
			row = &repoRow{Name: rec.Repo}
			rows[rec.Repo] = row
			missing++
		}
		if len(row.refs) == 0 {
			missing--
		}
		row.add(rec)
	}
	var list []*repoRow
	for _, row := range rows {
		row.choose()
		if row.Main != nil {
			row.Subject = v.subject(row.Main.Record)
		}
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b *repoRow) int {
		if c := strings.Compare(b.newest(), a.newest()); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return v.page("front", "Repositories", list)
}

// add adds a run that is older than those before.
func (r *repoRow) add(rec runstore.Record) {
	if !slices.ContainsFunc(r.refs, func(b branch) bool { return b.Ref == rec.Ref }) {
		r.refs = append(r.refs, branch{rec})
	}
}

func (r *repoRow) newest() string {
	if len(r.refs) == 0 {
		return ""
	}
	return r.refs[0].ID
}

// choose tells the default branch from the others.
func (r *repoRow) choose() {
	i := defaultRef(r.refs)
	if i < 0 {
		return
	}
	r.Main = &r.refs[i]
	r.Others = slices.Concat(r.refs[:i], r.refs[i+1:])
	r.Others = r.Others[:min(maxOthers, len(r.Others))]
}

// defaultRef returns the index of the default branch, -1 if there is no ref at all. The
// repository is not asked: it is "main" or else "master", or the branch that was pushed
// last.
func defaultRef(refs []branch) int {
	best, rank := -1, 0
	for i, b := range refs {
		mine := 1
		switch name, isBranch := strings.CutPrefix(b.Ref, "refs/heads/"); {
		case name == "main":
			mine = 4
		case name == "master":
			mine = 3
		case isBranch:
			mine = 2
		}
		if mine > rank {
			best, rank = i, mine
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

// linked returns the names of the repositories in repos/ of the root that are shown. A
// repository is known by the names of its files. None of them is opened.
func (v *visit) linked() []string {
	var names []string
	var look func(dir, prefix string, depth int)
	look = func(dir, prefix string, depth int) {
		entries, _ := os.ReadDir(dir) // a link that leads nowhere is for quire-runstate doctor
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
