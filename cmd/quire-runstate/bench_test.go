package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"quire/lib/push"
	"quire/lib/runstore"
)

// The benchmarks compare whole processes, as a script runs them, with the sqlite3
// command line on the same disk in the same run. Metrics that end in "/empty"
// are ratios of times: below 1 is faster.

const ended = 1_000_000

// bench installs quire, and skips the benchmark without sqlite3. A program that was
// copied starts quicker than the file that the linker wrote, by a tenth on ext4: the page
// cache has it in larger pieces.
func bench(b *testing.B) (binary string) {
	b.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		b.Skip("there is no sqlite3 to compare with")
	}
	prefix := b.TempDir()
	if out, err := exec.Command("make", "-s", "-C", "../..", "install", "PREFIX="+prefix).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(prefix, "bin/quire-runstate")
}

// timed returns the least time of n runs of a command, and the most memory it had.
func timed(b *testing.B, n int, name string, args ...string) (time.Duration, int64) {
	b.Helper()
	least, memory := time.Hour, int64(0)
	for range n {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "QUIRE_ROOT=")
		cmd.Stderr = os.Stderr // no pipe, which would be part of the time
		begun := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s %v: %v", name, args, err)
		}
		least = min(least, time.Since(begun))
		memory = max(memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	return least, memory
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func newStore(b *testing.B) *runstore.Store {
	b.Helper()
	s, err := runstore.Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func newRuns(b *testing.B, s *runstore.Store, n int) []*runstore.Run {
	b.Helper()
	f := make([]runstore.Facts, n)
	for i := range f {
		f[i] = runstore.Facts{Facts: push.Facts{Repo: "work/a.git", GitDir: "/srv/work/a.git", Ref: "refs/heads/main", SHA: strings.Repeat("a", 40)}, Executor: "host"}
	}
	runs, err := s.Create(f...)
	if err != nil {
		b.Fatal(err)
	}
	return runs
}

// BenchmarkTransition compares one durable transition with one durable UPDATE of a
// row that changes by it: one that does not, SQLite writes nowhere.
func BenchmarkTransition(b *testing.B) {
	binary := bench(b)
	s := newStore(b)
	db := filepath.Join(b.TempDir(), "db")
	timed(b, 1, "sqlite3", db, "PRAGMA journal_mode=WAL; CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT);")
	const n = 100
	var ours, theirs time.Duration
	for b.Loop() {
		runs := newRuns(b, s, n)
		for _, r := range runs {
			timed(b, 1, "sqlite3", db, fmt.Sprintf("INSERT INTO runs VALUES ('%s', 'pending');", r.ID))
		}
		for _, r := range runs { // alternating, so that both meet the same disk
			d, _ := timed(b, 1, binary, "--root", s.Root(), "transition", r.ID, "active")
			ours += d
			d, _ = timed(b, 1, "sqlite3", db, fmt.Sprintf("PRAGMA synchronous=FULL; UPDATE runs SET state = 'active' WHERE id = '%s';", r.ID))
			theirs += d
		}
	}
	b.ReportMetric(float64(ours.Microseconds())/n/float64(b.N), "µs/transition")
	b.ReportMetric(float64(theirs.Microseconds())/n/float64(b.N), "µs/update")
	b.ReportMetric(ratio(theirs, ours), "times-as-fast-as-sqlite")
}

// BenchmarkMillion measures what people and cron do on a root with a million ended
// runs, against an empty root and against SQLite.
func BenchmarkMillion(b *testing.B) {
	binary := bench(b)
	empty, full := newStore(b), newStore(b)
	journal := filepath.Join(full.Root(), "journal")
	table := filepath.Join(b.TempDir(), "table")
	million(b, journal, table)
	plain, indexed := filepath.Join(b.TempDir(), "plain"), filepath.Join(b.TempDir(), "indexed")
	for _, db := range []string{plain, indexed} {
		timed(b, 1, "sqlite3", db, "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT, repo TEXT, ref TEXT, sha TEXT,"+
			" executor TEXT, reason TEXT, code TEXT, created TEXT, started TEXT, finished TEXT, newest TEXT);",
			".mode tabs", ".import "+table+" runs")
	}
	timed(b, 1, "sqlite3", indexed, "CREATE INDEX state ON runs (state);")
	const n = 10
	for b.Loop() {
		const count = "SELECT state, count(*) FROM runs GROUP BY state"
		ours, _ := timed(b, n, binary, "--root", full.Root(), "list", "--count")
		slow, _ := timed(b, n, "sqlite3", plain, count)
		quick, _ := timed(b, n, "sqlite3", indexed, count)
		b.ReportMetric(float64(ours.Milliseconds()), "ms/count")
		b.ReportMetric(ratio(slow, ours), "count:times-as-fast-as-sqlite")
		b.ReportMetric(ratio(ours, quick), "count:time/indexed-sqlite")
		for _, args := range [][]string{
			{"list", "--limit", "20"},
			{"reconcile"},
			{"create", "--repo", "a", "--git-dir", "/a", "--ref", "r", "--sha", "s"},
		} {
			with, _ := timed(b, 3*n, binary, append([]string{"--root", full.Root()}, args...)...)
			without, _ := timed(b, 3*n, binary, append([]string{"--root", empty.Root()}, args...)...)
			b.ReportMetric(ratio(with, without), args[0]+":time/empty")
		}
		for _, state := range []string{"active", "failed"} { // the one writes the history, the other the journal too
			with, without := transitions(b, binary, 3*n, state, full, empty)
			b.ReportMetric(ratio(with, without), state+":time/empty")
		}
		_, memory := timed(b, 1, binary, "--root", full.Root(), "list")
		b.ReportMetric(float64(memory)/1024, "MB/list")
	}
}

// transitions returns the least time that the transition of a new run to a state takes
// in each of two stores, of n in turns.
func transitions(b *testing.B, binary string, n int, state string, one, other *runstore.Store) (time.Duration, time.Duration) {
	b.Helper()
	least := []time.Duration{time.Hour, time.Hour}
	for range n {
		for i, s := range []*runstore.Store{one, other} {
			d, _ := timed(b, 1, binary, "--root", s.Root(), "transition", newRuns(b, s, 1)[0].ID, state)
			least[i] = min(least[i], d)
		}
	}
	return least[0], least[1]
}

// million writes a journal of ended runs, and the same for sqlite3 to read.
func million(b *testing.B, paths ...string) {
	b.Helper()
	for _, path := range paths {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(f)
		for i := range ended {
			state := []string{"complete\t", "complete\t", "failed\t", "superseded\t"}[i%4]
			fmt.Fprintf(w, "019ab0c4-%04x-7%03x-8f00-%012x\t%swork/a%d.git\trefs/heads/main\t%040x\thost\t-\t-"+
				"\t2026-01-02T03:04:05.678Z\t2026-01-02T03:04:06.678Z\t2026-01-02T03:04:07.678Z\t-\n", i>>12, i&0xfff, i, state, i%100, i)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
