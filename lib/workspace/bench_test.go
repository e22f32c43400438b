package workspace

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// benchRepos returns the repositories to measure with: those that
// QUIRE_BENCH_REPOS names, separated by colons, and a generated one.
func benchRepos(b *testing.B) map[string]string {
	repos := map[string]string{"generated": generated(b)}
	for _, path := range filepath.SplitList(os.Getenv("QUIRE_BENCH_REPOS")) {
		repos[filepath.Base(path)] = path
	}
	return repos
}

var generatedOnce string

// generated returns the generated repository, which takes seconds to make.
func generated(b *testing.B) string {
	b.Helper()
	if generatedOnce == "" {
		generatedOnce = filepath.Join(os.Getenv("HOME"), "generated.git")
		if err := os.Rename(generate(b, 30_000), generatedOnce); err != nil {
			b.Fatal(err)
		}
	}
	return generatedOnce
}

// generate makes a packed repository of that many files, most of a few
// kilobytes, twelve to a directory, and of 21 commits that change a hundredth each.
func generate(b *testing.B, files int) string {
	b.Helper()
	f := newFixture(b)
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = f.dir
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	w := bufio.NewWriter(in)
	modify := func(i int) {
		var text strings.Builder
		size := int(math.Exp(random.NormFloat64()*1.2 + 7.6))
		for text.Len() < size {
			fmt.Fprintf(&text, "word%d ", random.IntN(3000))
		}
		d := i / 12
		fmt.Fprintf(w, "M 100644 inline d%d/e%d/f%d/file%d.c\ndata %d\n%s\n", d%17, d%211, d, i, text.Len(), text.String())
	}
	for n := range 21 {
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 2\nm\n", 1700000000+n)
		for i := range files {
			if n == 0 || random.IntN(100) == 0 {
				modify(i)
			}
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	f.git("", "repack", "-adfq")
	return f.dir
}

// rounds times ways of doing one thing, each once a round in turn, so that what
// else the machine does meets all of them, and returns the median of each. Every
// call gets a directory that never was there: on a file system without a journal
// writing right after removing is slow.
func rounds(b *testing.B, count int, ways ...func(dir string) error) []time.Duration {
	b.Helper()
	parent := b.TempDir()
	times := make([][]time.Duration, len(ways))
	for round := range count {
		for i, way := range ways {
			dir := filepath.Join(parent, fmt.Sprintf("%d-%d", round, i))
			start := time.Now()
			if err := way(dir); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	medians := make([]time.Duration, len(ways))
	for i := range times {
		slices.Sort(times[i])
		medians[i] = times[i][count/2]
	}
	return medians
}

func shell(format string, args ...any) error {
	out, err := exec.Command("sh", "-c", fmt.Sprintf(format, args...)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// The command's own start is not in the measure of quire, and git's and tar's are
// in theirs: some milliseconds of hundreds.
func BenchmarkMaterialize(b *testing.B) {
	for name, path := range benchRepos(b) {
		b.Run(name, func(b *testing.B) {
			f := &fixture{t: b, dir: path}
			for range b.N {
				m := rounds(b, 5, func(dir string) error {
					return Materialize(context.Background(), f.open(), "HEAD", dir, Options{})
				}, func(dir string) error {
					return shell("mkdir %[2]s && git --git-dir=%[1]s archive HEAD | tar -x -C %[2]s", path, dir)
				}, func(dir string) error {
					return shell("mkdir %[2]s && cd %[2]s && GIT_INDEX_FILE=%[2]s.index GIT_WORK_TREE=. "+
						"git --git-dir=%[1]s -c checkout.workers=8 read-tree -m -u HEAD", path, dir)
				})
				b.ReportMetric(m[0].Seconds()*1000, "ms")
				b.ReportMetric(float64(m[1])/float64(m[0]), "x-archive-tar")
				b.ReportMetric(float64(m[2])/float64(m[0]), "x-checkout-8")
			}
		})
	}
}

// BenchmarkReuse takes one workspace through 20 commits, against a fresh
// `git archive | tar -x` of each.
func BenchmarkReuse(b *testing.B) {
	for name, path := range benchRepos(b) {
		b.Run(name, func(b *testing.B) {
			f := &fixture{t: b, dir: path}
			commits := strings.Fields(f.git("", "rev-list", "--first-parent", "--max-count=21", "HEAD"))
			slices.Reverse(commits)
			for range b.N {
				ws := filepath.Join(b.TempDir(), "ws")
				f.reuse(commits[0], ws)
				fresh := b.TempDir()
				var reused, archived time.Duration
				for i, commit := range commits[1:] {
					start := time.Now()
					f.reuse(commit, ws)
					middle := time.Now()
					dir := filepath.Join(fresh, fmt.Sprint(i))
					if err := shell("mkdir %[3]s && git --git-dir=%[1]s archive %[2]s | tar -x -C %[3]s", path, commit, dir); err != nil {
						b.Fatal(err)
					}
					reused += middle.Sub(start)
					archived += time.Since(middle)
				}
				n := len(commits) - 1
				b.ReportMetric(reused.Seconds()*1000/float64(n), "ms")
				b.ReportMetric(float64(archived)/float64(reused), "x-archive-tar")
			}
		})
	}
}
