package repos

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/git"
)

// A scene is a directory with a root and repositories.
type scene struct {
	*testing.T
	dir, root string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	p := &scene{t, dir, filepath.Join(dir, "root")}
	p.sh("mkdir -p root/repos")
	return p
}

func (p *scene) sh(script string) {
	p.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func (p *scene) open(name string) *git.Repo {
	p.Helper()
	repo, err := git.Open(filepath.Join(p.dir, name))
	if err != nil {
		p.Fatal(err)
	}
	return repo
}

func TestName(t *testing.T) {
	for _, test := range []struct {
		name, script, repo string
		want               string
		linked             bool
	}{
		{"below repos", "git init -q --bare root/repos/work/foo.git", "root/repos/work/foo.git", "work/foo.git", true},
		{"root through a link", "git init -q --bare r/repos/bar.git; rm -r root; ln -s r root", "r/repos/bar.git", "bar.git", true},
		{"repos is a link", "git init -q --bare srv/bar.git; rm -r root/repos; ln -s ../srv root/repos", "srv/bar.git", "bar.git", true},
		{"below repos wins over a name that is not linked", "git init -q --bare root/repos/a.git; git -C root/repos/a.git config quire.name b", "root/repos/a.git", "a.git", true},
		{"a linked name wins", "git init -q --bare root/repos/a.git; git -C root/repos/a.git config quire.name b; ln -s a.git root/repos/b", "root/repos/a.git", "b", true},
		{"a link by its name", "git init -q --bare srv/a.git; ln -s ../../srv/a.git root/repos/a.git", "srv/a.git", "a.git", true},
		{"a link to the working copy", "git init -q project; ln -s ../../project root/repos/project", "project", "project", true},
		{"a link of another", "git init -q --bare srv/a.git; git init -q --bare x/a.git; ln -s ../../srv/a.git root/repos/a.git", "x/a.git", "a.git", false},
		{"configured", "git init -q --bare a.git; git -C a.git config quire.name team/a", "a.git", "team/a", false},
		{"leads out", "git init -q --bare a.git; git -C a.git config quire.name ../../b", "a.git", "a.git", false},
		{"absolute", "git init -q --bare a.git; git -C a.git config quire.name /b", "a.git", "a.git", false},
		{"a space", "git init -q --bare 'with space.git'", "with space.git", "with space.git", false},
		{"working copy", "git init -q project", "project", "project", false},
		{"no root", "git init -q --bare a.git; rm -r root", "a.git", "a.git", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newScene(t)
			p.sh(test.script)
			if got, linked := Name(p.open(test.repo), p.root); got != test.want || linked != test.linked {
				t.Errorf("got %q, %v, want %q, %v", got, linked, test.want, test.linked)
			}
		})
	}
}

// Each repository is listed once, and entries that cannot be read are reported.
func TestList(t *testing.T) {
	for _, test := range []struct{ name, script, want, broken string }{
		{"nothing", "", "", ""},
		{"no repos", "rm -r root/repos", "", ""},
		{"two", "git init -q --bare root/repos/b.git; git init -q --bare root/repos/team/a.git", "root/repos/b.git root/repos/team/a.git", ""},
		{"a link", "git init -q --bare srv/a.git; ln -s ../../srv/a.git root/repos/x.git", "srv/a.git", ""},
		{"two links", "git init -q --bare srv/a.git; ln -s ../../srv/a.git root/repos/x.git; ln -s x.git root/repos/y.git", "srv/a.git", ""},
		{"a link to a directory", "git init -q --bare srv/a.git; ln -s ../../srv root/repos/team", "srv/a.git", ""},
		{"repos is a link", "git init -q --bare srv/a.git; rm -r root/repos; ln -s ../srv root/repos", "srv/a.git", ""},
		{"a circle", "git init -q --bare root/repos/a.git; ln -s . root/repos/b; ln -s ../repos root/repos/c", "root/repos/a.git", ""},
		{"nowhere", "git init -q --bare root/repos/a.git; ln -s /gone root/repos/b.git", "root/repos/a.git", "root/repos/b.git"},
		{"repos leads nowhere", "rm -r root/repos; ln -s /gone root/repos", "", "root/repos"},
		{"a working copy", "git init -q project; ln -s ../../project root/repos/project; touch root/repos/file", "project/.git", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newScene(t)
			p.sh(test.script)
			list, err := List(p.root)
			var got []string
			for _, repo := range list {
				got = append(got, strings.TrimPrefix(repo.Dir(), p.dir+"/"))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			broken, ok := errors.AsType[*Broken](err)
			if ok != (test.broken != "") || ok && broken.Path != filepath.Join(p.dir, test.broken) {
				t.Errorf("got %v, want %q", err, test.broken)
			}
		})
	}
}

// A link is made once, is refused for a name that is taken, and is all that Unlink removes.
func TestLink(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"team/app.git", "", ""},
		{"app.git", "", ""},
		{"app.git", "ln -s ../../srv/team/app.git root/repos/app.git", ""},
		{"app.git", "git init -q --bare root/repos/app.git", "choose another one, such as --name team/app.git"},
		{"app.git", "git init -q --bare other.git; ln -s ../../other.git root/repos/app.git", "'DIR/other.git' already has the name 'app.git'"},
		{"app.git", "ln -s /gone.git root/repos/app.git", "'/gone.git' already has the name 'app.git'"},
		{"app.git", "mkdir root/repos/app.git", "'DIR/root/repos/app.git' already has the name 'app.git'"},
		{"x/app.git", "git init -q --bare root/repos/x", "already has the name 'x'"},
		{"x/y/app.git", "git init -q --bare root/repos/x", "already has the name 'x'"},
		{"../app.git", "", "not a path below"},
		{"", "", "not a path below"},
		{".", "", "not a path below"},
		{"019ab0c4-7a52-7d3e-8f00-5d2b7e1c9a44", "", "is in the form of a run's id"},
		{"x/019ab0c4-7a52-7d3e-8f00-5d2b7e1c9a44/y", "", "is in the form of a run's id"},
		{strings.Repeat("x", 256), "", "not a name of a repository"},
		{"a\x00b", "", "not a name of a repository"},
	} {
		t.Run(test.name+" "+test.script, func(t *testing.T) {
			p := newScene(t)
			p.sh("git init -q --bare srv/team/app.git")
			p.sh(test.script)
			repo := p.open("srv/team/app.git")
			for range 2 {
				err := Link(repo, p.root, test.name)
				want := strings.ReplaceAll(test.want, "DIR", p.dir)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Fatalf("got %v, want %q", err, want)
				}
			}
			if test.want != "" {
				return
			}
			if !same(path(p.root, test.name), repo.Dir()) {
				t.Error("not linked")
			}
			if err := Unlink(repo, p.root, test.name); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(filepath.Join(p.root, dirName)); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
	t.Run("a repository is not removed", func(t *testing.T) {
		p := newScene(t)
		p.sh("git init -q --bare root/repos/a.git")
		if err := Unlink(p.open("root/repos/a.git"), p.root, "a.git"); err != nil {
			t.Error(err)
		}
		p.open("root/repos/a.git")
	})
}
