package test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// BenchmarkWorkspacesAndHook prints one table of what workspaces and the hook cost,
// each measure against what it stands in for: medians of commands that are run in
// turn, so that what else the machine does meets both.
//
// QUIRE_BENCH_REPOS names repositories, separated by colons, whose commits are
// materialized beside those of a generated one.
func BenchmarkWorkspacesAndHook(b *testing.B) {
	for b.Loop() {
		w := newBench(b)
		var rows []row
		for _, repo := range w.repos() {
			rows = append(rows, w.cold(repo)...)
			rows = append(rows, w.reuse(repo)...)
		}
		rows = append(rows, w.pushes()...)
		rows = append(rows, w.firstCommand())
		if err := printRows(os.Stdout, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op") // a table has no sum
}

// A row is one line of the table.
type row struct {
	measure, against string
	ours, theirs     float64 // mostly milliseconds; theirs 0 where ours stands alone
	bar              string  // "1.3x": at least so many times as fast; "/1.15": at most so many times as slow; "<30"
}

// judge returns the ratio as the bar is about, and whether that is met.
func (r row) judge() (ratio float64, met bool) {
	var bar float64
	if n, err := fmt.Sscanf(strings.Trim(r.bar, "x/<"), "%g", &bar); n != 1 {
		panic(err)
	}
	switch {
	case strings.HasSuffix(r.bar, "x"):
		ratio = r.theirs / r.ours
		return ratio, ratio >= bar
	case strings.HasPrefix(r.bar, "/"):
		ratio = r.ours / r.theirs
		return ratio, ratio <= bar
	}
	return r.ours, r.ours < bar
}

func printRows(to io.Writer, rows []row) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nmeasure\tagainst\tours\ttheirs\tratio\tbar\tmet")
	for _, r := range rows {
		ratio, met := r.judge()
		theirs, of := "-", "-"
		if r.theirs > 0 {
			theirs, of = fmt.Sprintf("%.1f", r.theirs), fmt.Sprintf("%.2f", ratio)
		}
		words := map[bool]string{true: "yes", false: "NO"}
		bar := strings.NewReplacer("/", "at most ", "<", "under ").Replace(r.bar)
		if number, ok := strings.CutSuffix(bar, "x"); ok {
			bar = "at least " + number
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t%s\t%s\t%s\n", r.measure, r.against, r.ours, theirs, of, bar, words[met])
	}
	fmt.Fprintln(w, "(milliseconds, unless told otherwise)")
	return w.Flush()
}

// bench is where the commands are run: a directory, and an environment that has
// nothing of this machine's user but the installed commands in front.
type bench struct {
	*testing.B
	dir string
	env []string
}

func newBench(b *testing.B) *bench {
	w := &bench{B: b, dir: b.TempDir()}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") && !strings.HasPrefix(entry, "QUIRE_") {
			w.env = append(w.env, entry)
		}
	}
	w.env = append(w.env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME="+w.dir, "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"PATH="+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"))
	return w
}

// run runs a command in the directory, with more in its environment, and returns
// what it printed.
func (w *bench) run(more []string, name string, args ...string) string {
	w.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = w.dir, append(w.env[:len(w.env):len(w.env)], more...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("%s %.300s: %v\n%.2000s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// sh runs a line of shell, of which %[1]s and so on are args.
func (w *bench) sh(line string, args ...any) string {
	w.Helper()
	return w.run(nil, "sh", "-c", fmt.Sprintf(line, args...))
}

// medians runs each way once a round, in turn and each time with the next one first,
// and returns the median of how long each took, in milliseconds. What one has left to
// write is on disk before the next begins, which would be held up by it.
func medians(rounds int, ways ...func(round int)) []float64 {
	times := make([][]float64, len(ways))
	for round := range rounds {
		for i := range ways {
			which := (round + i) % len(ways)
			syscall.Sync()
			start := time.Now()
			ways[which](round)
			times[which] = append(times[which], milliseconds(time.Since(start)))
		}
	}
	of := make([]float64, len(ways))
	for i := range times {
		of[i] = median(times[i])
	}
	return of
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
