package test

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// workspaces measures workspaces of each repository, in the directory for temporary files
// and in memory.
func (w *bench) workspaces() []row {
	var rows []row
	for _, repo := range w.repos() {
		for _, place := range []string{"", "/dev/shm"} {
			in := *w
			if place != "" {
				dir, err := os.MkdirTemp(place, "quire-bench-")
				if err != nil {
					rows = append(rows, row{measure: "workspaces in " + place, limit: err.Error()})
					continue
				}
				w.Cleanup(func() { os.RemoveAll(dir) })
				in.dir = dir
			}
			rows = append(rows, in.cold(repo, fsType(in.dir)))
			rows = append(rows, in.reuse(repo, fsType(in.dir))...)
			if place != "" {
				if err := os.RemoveAll(in.dir); err != nil {
					w.Fatal(err)
				}
			}
		}
	}
	return rows
}

// fsType reports whether dir is in memory.
func fsType(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err == nil && st.Type == unix.TMPFS_MAGIC {
		return "tmpfs"
	}
	return "disk"
}

// repos returns the repositories to materialize: a generated one, and those in
// QUIRE_BENCH_REPOS.
func (w *bench) repos() []string {
	w.run(nil, "git", "init", "-q", "--bare", "-b", "main", "generated.git")
	w.generate("generated.git", 30_000)
	repos := []string{filepath.Join(w.dir, "generated.git")}
	for _, path := range filepath.SplitList(os.Getenv("QUIRE_BENCH_REPOS")) {
		abs, err := filepath.Abs(path)
		if err != nil {
			w.Fatal(err)
		}
		repos = append(repos, abs)
	}
	return repos
}

// generate creates a packed repository of that many files, most of a few kilobytes,
// twelve to a directory, and of 21 commits that change a hundredth each.
func (w *bench) generate(repo string, files int) {
	cmd := exec.Command("git", "-C", repo, "fast-import", "--quiet")
	cmd.Dir, cmd.Env = w.dir, w.env
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	out := bufio.NewWriter(in)
	for n := range 21 {
		fmt.Fprintf(out, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 2\nm\n", 1700000000+n)
		for i := range files {
			if n == 0 || random.IntN(100) == 0 {
				modify(out, random, i)
			}
		}
	}
	if err := out.Flush(); err != nil {
		w.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		w.Fatal(err)
	}
	w.run(nil, "git", "-C", repo, "repack", "-adfq")
}

// modify writes a new version of file i for git-fast-import(1).
func modify(out io.Writer, random *rand.Rand, i int) {
	var text strings.Builder
	size := int(math.Exp(random.NormFloat64()*1.2 + 7.6))
	for text.Len() < size {
		fmt.Fprintf(&text, "word%d ", random.IntN(3000))
	}
	d := i / 12
	fmt.Fprintf(out, "M 100644 inline d%d/e%d/f%d/file%d.c\ndata %d\n%s\n", d%17, d%211, d, i, text.Len(), text.String())
}

const (
	byMaterialize = "quire-materialize --git-dir %[1]s %[2]s %[3]s"
	byReuse       = "quire-materialize --reuse --git-dir %[1]s %[2]s %[3]s"
	byArchive     = "mkdir %[3]s && git --git-dir=%[1]s archive %[2]s | tar -x -C %[3]s"
	byReadTree    = "mkdir -p %[3]s && cd %[3]s && export GIT_DIR=%[1]s GIT_WORK_TREE=. GIT_INDEX_FILE=../%[3]s.index && " +
		"git -c checkout.workers=0 read-tree --reset -u %[2]s"
	byReadTreeAndClean = byReadTree + " && git clean -qffdx"
)

// cold writes a tree into directories that never existed before: on a file system without
// a journal, writing right after removing is slow. They are removed after all measures.
func (w *bench) cold(repo, place string) row {
	const rounds = 9
	name := filepath.Base(repo)
	commit := strings.TrimSpace(w.sh("git --git-dir=%s rev-parse HEAD", repo))
	m := medians(rounds,
		func(i int) { w.sh(byMaterialize, repo, commit, fmt.Sprintf("cold-%s-%d", name, i)) },
		func(i int) { w.sh(byReadTree, repo, commit, fmt.Sprintf("read-tree-%s-%d", name, i)) })
	count := strings.TrimSpace(w.sh("git --git-dir=%s ls-tree -r %s | wc -l", repo, commit))
	return row{fmt.Sprintf("cold, %s, %s files, %s", name, count, place), "git read-tree -u", m[0], m[1], "0.9x"}
}

// reuse takes one workspace through 20 commits.
func (w *bench) reuse(repo, place string) []row {
	name := filepath.Base(repo)
	commits := strings.Fields(w.sh("git --git-dir=%s rev-list --first-parent --max-count=21 HEAD", repo))
	slices.Reverse(commits)
	byGit, byQuire := "follow-"+name, "reuse-"+name
	w.sh(byReadTree, repo, commits[0], byGit)
	w.sh(byReuse, repo, commits[0], byQuire)
	next := commits[1:]
	m := medians(len(next),
		func(i int) { w.sh(byReuse, repo, next[i], byQuire) },
		func(i int) { w.sh(byArchive, repo, next[i], fmt.Sprintf("archive-%s-%d", name, i)) },
		func(i int) { w.sh(byReadTreeAndClean, repo, next[i], byGit) })
	measure := fmt.Sprintf("reuse, %s, %d commits, %s", name, len(next), place)
	return []row{
		{measure, "git archive | tar -x", m[0], m[1], "4x"},
		{measure, "git read-tree -u and git clean", m[0], m[2], "0.75x"},
	}
}
