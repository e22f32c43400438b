package test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// measures are the groups of rows of the table, in order. A group that cannot be measured
// here returns rows with the reason.
var measures = []struct {
	name string // ROWS selects by it
	rows func(*bench) []row
}{
	{"push", (*bench).pushes},
	{"gate", (*bench).gates},
	{"first", (*bench).firstCommand},
	{"validate", (*bench).validate},
	{"compile", (*bench).compileLong},
	{"workspace", (*bench).workspaces},
	{"transition", (*bench).transition},
	{"million", (*bench).million},
	{"chain", (*bench).chain},
	{"sleeps", (*bench).eightSleeps},
	{"output", (*bench).output},
	{"secrets", (*bench).fiftySecrets},
	{"web", (*bench).webPages},
}

// BenchmarkTable prints one table of all measures with their limits, and fails if a limit
// does not hold. Each measure compares commands that run in turn, so that other work of
// the machine slows all of them.
//
// ROWS is a regular expression that selects groups by their names. QUIRE_BENCH_REPOS
// names repositories, separated by colons, whose commits are materialized too, besides a
// generated repository's. FENNEL_REFERENCE names the fennel.lua of the reference compiler
// 1.6.1, and FENNEL_LUA the Lua that runs it, lua5.4 by default.
func BenchmarkTable(b *testing.B) {
	selected := regexp.MustCompile(os.Getenv("ROWS"))
	for b.Loop() {
		var rows []row
		for _, m := range measures {
			if selected.MatchString(m.name) {
				fmt.Fprintln(os.Stderr, "measuring", m.name)
				rows = append(rows, m.rows(newBench(b))...)
			}
		}
		broken, err := printRows(os.Stdout, rows)
		if err != nil {
			b.Fatal(err)
		}
		if broken > 0 {
			b.Errorf("%d limits do not hold", broken)
		}
	}
	b.ReportMetric(0, "ns/op") // a table has no sum
}

// A row is one line of the table.
type row struct {
	measure, against string
	ours, theirs     float64 // mostly milliseconds; theirs is 0 if there is no comparison
	limit            string  // "1.3x": at least that many times as fast; "/1.15": at most that many times as slow; "<30"; or, if nothing was measured, the reason
}

// judge returns the figure to compare with the limit, and whether the limit holds.
// measured is false if the row has a reason instead of a limit.
func (r row) judge() (figure float64, holds, measured bool) {
	var limit float64
	if n, err := fmt.Sscanf(strings.Trim(r.limit, "x/<"), "%g", &limit); n != 1 || err != nil {
		return 0, false, false
	}
	switch {
	case strings.HasSuffix(r.limit, "x"):
		figure = r.theirs / r.ours
		return figure, figure >= limit, true
	case strings.HasPrefix(r.limit, "/"):
		figure = r.ours / r.theirs
		return figure, figure <= limit, true
	}
	return r.ours, r.ours < limit, true
}

// printRows prints the table and returns the number of broken limits.
func printRows(to io.Writer, rows []row) (broken int, err error) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nmeasure\tagainst\tfigure\tlimit\tholds\tours\ttheirs")
	for _, r := range rows {
		figure, holds, measured := r.judge()
		if !measured {
			fmt.Fprintf(w, "%s\t%s\t-\t-\tnot measured: %s\n", r.measure, r.against, r.limit)
			continue
		}
		word := "yes"
		if !holds {
			word = "NO"
			broken++
		}
		theirs := "-"
		if r.theirs > 0 {
			theirs = fmt.Sprintf("%.1f", r.theirs)
		}
		limit := strings.NewReplacer("/", "at most ", "<", "under ").Replace(r.limit)
		if number, ok := strings.CutSuffix(limit, "x"); ok {
			limit = "at least " + number
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%s\t%s\t%.1f\t%s\n", r.measure, r.against, figure, limit, word, r.ours, theirs)
	}
	fmt.Fprintln(w, "(ours and theirs are medians in milliseconds, unless the measure says otherwise)")
	return broken, w.Flush()
}

// A bench is the directory of a group of measures, and an environment without this
// machine's user's settings, with the installed commands first in its PATH.
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

// run runs a command in the directory, with more variables in its environment, and returns
// its output.
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

// sh runs a line of shell. Its %[1]s and so on are replaced by args.
func (w *bench) sh(line string, args ...any) string {
	w.Helper()
	return w.run(nil, "sh", "-c", fmt.Sprintf(line, args...))
}

// medians runs each way once a round, in turn and each time starting with the next one,
// and returns the median times in milliseconds. Before each, it syncs the disk: writes of
// the way before would slow it.
func medians(rounds int, ways ...func(round int)) []float64 {
	timed := make([]func(int) time.Duration, len(ways))
	for i, way := range ways {
		timed[i] = func(round int) time.Duration {
			syscall.Sync()
			start := time.Now()
			way(round)
			return time.Since(start)
		}
	}
	return medianTimes(rounds, timed...)
}

// medianTimes is medians for ways that return their own time.
func medianTimes(rounds int, ways ...func(round int) time.Duration) []float64 {
	times := make([][]float64, len(ways))
	for round := range rounds {
		for i := range ways {
			which := (round + i) % len(ways)
			times[which] = append(times[which], milliseconds(ways[which](round)))
		}
	}
	of := make([]float64, len(ways))
	for i := range times {
		of[i] = median(times[i])
	}
	return of
}

// A program is a command that is measured from its start to its exit.
type program struct {
	*bench
	dir  string
	args []string
	peak float64 // its peak memory, in MB
}

func (w *bench) program(dir string, args ...string) *program {
	return &program{bench: w, dir: filepath.Join(w.dir, dir), args: args}
}

// time runs the program with /dev/null for its streams. It does not use os/exec, which
// takes a tenth of the time of the shortest.
func (p *program) time(int) time.Duration {
	p.Helper()
	path, err := exec.LookPath(p.args[0])
	if err != nil {
		p.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		p.Fatal(err)
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	begun := time.Now()
	pid, err := syscall.ForkExec(path, p.args, &syscall.ProcAttr{Dir: p.dir, Env: p.env, Files: files})
	if err == nil {
		_, err = syscall.Wait4(pid, &status, 0, &usage)
	}
	took := time.Since(begun)
	if err != nil || status != 0 {
		p.Fatalf("%q: status %x, %v", p.args, status, err)
	}
	p.peak = max(p.peak, float64(usage.Maxrss)/1000)
	return took
}

// write writes a file below the directory, and creates its directories.
func (w *bench) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		w.Fatal(err)
	}
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
