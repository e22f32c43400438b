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
)

// workspaces measures workspaces of each repository.
func (w *bench) workspaces() []row {
	var rows []row
	for _, repo := range w.repos() {
		rows = append(rows, w.cold(repo)...)
		rows = append(rows, w.reuse(repo)...)
	}
	return rows
}

// repos returns the repositories to materialize: a generated one, and those that
// QUIRE_BENCH_REPOS names.
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

// generate makes a packed repository of that many files, most of a few kilobytes,
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
	byArchive     = "mkdir %[3]s && git --git-dir=%[1]s archive %[2]s | tar -x -C %[3]s"
	byCheckout    = "git -C %[1]s -c checkout.workers=8 checkout -qf %[2]s"
)

// cold writes a tree into directories that never were there: on a file system without
// a journal, writing right after removing is slow. They go when all is measured.
func (w *bench) cold(repo string) []row {
	const rounds = 5
	name := filepath.Base(repo)
	commit := strings.TrimSpace(w.sh("git --git-dir=%s rev-parse HEAD", repo))
	for i := range rounds {
		w.sh("git clone -qns %s %s", repo, fmt.Sprintf("clone-%s-%d", name, i))
	}
	m := medians(rounds,
		func(i int) { w.sh(byMaterialize, repo, commit, fmt.Sprintf("cold-%s-%d", name, i)) },
		func(i int) { w.sh(byArchive, repo, commit, fmt.Sprintf("archive-%s-%d", name, i)) },
		func(i int) { w.sh(byCheckout, fmt.Sprintf("clone-%s-%d", name, i), commit) })
	count := strings.TrimSpace(w.sh("git --git-dir=%s ls-tree -r %s | wc -l", repo, commit))
	measure := fmt.Sprintf("cold, %s, %s files", name, count)
	return []row{
		{measure, "git archive | tar -x", m[0], m[1], "1.3x"},
		{measure, "git checkout, 8 workers", m[0], m[2], "1x"},
	}
}

// reuse takes one workspace through 20 commits.
func (w *bench) reuse(repo string) []row {
	name := filepath.Base(repo)
	commits := strings.Fields(w.sh("git --git-dir=%s rev-list --first-parent --max-count=21 HEAD", repo))
	slices.Reverse(commits)
	clone, tree := "follow-"+name, "reuse-"+name
	const reuse = "quire-materialize --reuse --git-dir %[1]s %[2]s %[3]s"
	w.sh("git clone -qns %s %s", repo, clone)
	w.sh(byCheckout, clone, commits[0])
	w.sh(reuse, repo, commits[0], tree)
	next := commits[1:]
	m := medians(len(next),
		func(i int) { w.sh(reuse, repo, next[i], tree) },
		func(i int) { w.sh(byArchive, repo, next[i], fmt.Sprintf("fresh-%s-%d", name, i)) },
		func(i int) { w.sh(byCheckout+" && git -C %[1]s clean -qffdx", clone, next[i]) })
	measure := fmt.Sprintf("reuse, %s, %d commits", name, len(next))
	return []row{
		{measure, "git archive | tar -x", m[0], m[1], "6x"},
		{measure, "git checkout, 8 workers, and clean", m[0], m[2], "1x"},
	}
}
