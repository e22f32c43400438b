package test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// newRuns records n pending runs in a root and returns their ids.
func (w *bench) newRuns(root string, n int) []string {
	w.Helper()
	return strings.Fields(w.sh(`mkdir -p %[1]s && for i in $(seq %[2]d); do
		quire-runstate --root %[1]s create --repo work/a.git --git-dir /srv/work/a.git --ref refs/heads/main --sha abc; done | cut -f 1`, root, n))
}

// runstate times quire-runstate with a root.
func (w *bench) runstate(root string, args ...string) time.Duration {
	w.Helper()
	call := append([]string{filepath.Join(prefix, "bin/quire-runstate"), "--root", filepath.Join(w.dir, root)}, args...)
	return w.program("", call...).time(0)
}

// transition compares a durable transition with a durable UPDATE that changes a row:
// sqlite3 writes nothing for a row that stays the same.
func (w *bench) transition() []row {
	r := row{measure: "transition, own process", against: "sqlite3, synchronous=FULL"}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		r.limit = "sqlite3 is not installed"
		return []row{r}
	}
	const rounds = 101
	ids := w.newRuns("root", rounds)
	w.sh("sqlite3 db 'PRAGMA journal_mode=WAL; CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT);'")
	for _, id := range ids {
		w.sh(`sqlite3 db "INSERT INTO runs VALUES ('%s', 'pending');"`, id)
	}
	m := medianTimes(rounds,
		func(i int) time.Duration { return w.runstate("root", "transition", ids[i], "active") },
		func(i int) time.Duration {
			return w.program("", "sqlite3", "db", fmt.Sprintf("PRAGMA synchronous=FULL; UPDATE runs SET state = 'active' WHERE id = '%s';", ids[i])).time(0)
		})
	r.ours, r.theirs, r.limit = m[0], m[1], "1.5x"
	return []row{r}
}

// million compares commands on a root with a million ended runs and on an empty one.
func (w *bench) million() []row {
	const rounds = 31
	roots := []string{"full", "empty"}
	for _, root := range roots {
		w.newRuns(root, 0)
	}
	w.writeJournal("full/journal", 1_000_000)
	var rows []row
	compare := func(name string, call func(root string, round int) []string) {
		m := medianTimes(rounds,
			func(i int) time.Duration { return w.runstate("full", call("full", i)...) },
			func(i int) time.Duration { return w.runstate("empty", call("empty", i)...) })
		rows = append(rows, row{name + " at 1,000,000 runs", "an empty root", m[0], m[1], "/1.2"})
	}
	for _, call := range []string{"list --limit 20", "create --repo a --git-dir /a --ref r --sha s", "reconcile"} {
		args := strings.Fields(call)
		compare(args[0], func(string, int) []string { return args })
	}
	for _, state := range []string{"active", "failed"} { // the second one writes the journal too
		ids := map[string][]string{}
		for _, root := range roots {
			ids[root] = w.newRuns(root, rounds)
		}
		compare("transition to "+state, func(root string, i int) []string { return []string{"transition", ids[root][i], state} })
	}
	return rows
}

// writeJournal writes a journal of n ended runs.
func (w *bench) writeJournal(name string, n int) {
	f, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	for i := range n {
		state := []string{"complete\t", "complete\t", "failed\t", "superseded\t"}[i%4]
		fmt.Fprintf(out, "019ab0c4-%04x-7%03x-8f00-%012x\t%swork/a%d.git\trefs/heads/main\t%040x\thost\t-\t-"+
			"\t2026-01-02T03:04:05.678Z\t2026-01-02T03:04:06.678Z\t2026-01-02T03:04:07.678Z\t-\n", i>>12, i&0xfff, i, state, i%200, i)
	}
	if err := out.Flush(); err != nil {
		w.Fatal(err)
	}
}
