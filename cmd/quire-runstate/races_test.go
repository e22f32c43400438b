package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A race is a store that many commands use at once.
type race struct {
	*testing.T
	binary, root string

	mu      sync.Mutex
	runs    []string            // acknowledged as created, in order
	won     map[string][]string // how each was ended, as the commands reported
	removed map[string]bool
	calls   atomic.Int32
}

// call runs a command and returns its exit code and its output. Codes that are not
// allowed fail the test.
func (r *race) call(allowed []int, args ...string) (int, string) {
	cmd := exec.Command(r.binary, args...)
	cmd.Env = append(os.Environ(), "QUIRE_ROOT="+r.root)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	r.calls.Add(1)
	code := cmd.ProcessState.ExitCode()
	if !slices.Contains(allowed, code) {
		r.Errorf("%s: exit %d: %s", strings.Join(args, " "), code, &errs)
	}
	return code, out.String()
}

// some returns the ids of two of the newest runs, so that many commands choose the same.
func (r *race) some(random *rand.Rand) (id, newer string) {
	const newest = 8
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.runs[max(0, len(r.runs)-newest):]
	return last[random.IntN(len(last))], last[len(last)-1]
}

// The commands to drive. Some leave processes behind.
var driven = []string{"true", "false", "sleep 0.02", "setsid sleep 600 & sleep 0.01", "(trap '' TERM; exec sleep 600) & exit 3"}

// one does one random operation on runs.
func (r *race) one(random *rand.Rand) {
	id, newer := r.some(random)
	end := func(how string, args ...string) {
		if code, _ := r.call([]int{0, 1}, args...); code == 0 {
			r.mu.Lock()
			r.won[id] = append(r.won[id], how)
			r.mu.Unlock()
		}
	}
	switch random.IntN(12) {
	case 0, 1:
		r.create()
	case 2, 3, 4:
		r.exec(random, id)
	case 5:
		end("cancelled", "cancel", id)
	case 6:
		r.call([]int{0, 1}, "transition", id, "active")
	case 7:
		end("complete", "transition", id, "complete")
	case 8:
		if newer != id {
			end("superseded", "transition", id, "superseded", "--by", newer)
		}
	case 9:
		r.call([]int{0}, "reconcile")
	case 10:
		_, out := r.call([]int{0}, "prune", "--keep", "4")
		r.mu.Lock()
		for id := range strings.FieldsSeq(out) {
			r.removed[id] = true
		}
		r.mu.Unlock()
	case 11:
		r.call([]int{0}, "fsck", "--repair")
	}
}

func (r *race) create() {
	_, out := r.call([]int{0}, "create", "--repo", "a.git", "--git-dir", "/srv/a.git", "--ref", "refs/heads/main", "--sha", "abc")
	id, _, _ := strings.Cut(out, "\t")
	r.mu.Lock()
	r.runs = append(r.runs, id)
	r.mu.Unlock()
}

// exec drives a run, and sometimes ends or kills the driver.
func (r *race) exec(random *rand.Rand, id string) {
	how := driven[random.IntN(len(driven))]
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cmd := exec.CommandContext(ctx, r.binary, "exec", "--grace", "10ms", "--timeout", "500ms", id, "--", "sh", "-c", how)
	cmd.Env = append(os.Environ(), "QUIRE_ROOT="+r.root)
	signal := []os.Signal{nil, nil, os.Interrupt, os.Kill}[random.IntN(4)]
	if signal != nil {
		cmd.Cancel = func() error { return cmd.Process.Signal(signal) }
		timer := time.AfterFunc(time.Duration(random.IntN(40))*time.Millisecond, stop)
		defer timer.Stop()
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	_ = cmd.Run()
	r.calls.Add(1)
	// Anything may end the driver, but it never fails to do its work.
	if code := cmd.ProcessState.ExitCode(); code == 111 || code == 126 || code == 127 {
		r.Errorf("exec %s: exit %d: %s", id, code, &errs)
	}
}

// Many processes create, drive, end, supersede, cancel, reconcile, prune and repair the
// same runs. Each run is ended once, by the process that was told so; histories are
// legal, no run is lost, no process of a run is left, and nothing is left to repair.
func TestEverythingAtOnce(t *testing.T) {
	racers, d := 8, 2*time.Second
	if os.Getenv("RACES") == "full" {
		racers, d = 64, time.Minute
	}
	r := &race{T: t, root: t.TempDir(), won: map[string][]string{}, removed: map[string]bool{}}
	r.binary = filepath.Join(build(t), "quire-runstate")
	config := []byte("max-runs = 6\ngrace = \"10ms\"\n") // so that some runs wait, and others get their turn
	if err := os.WriteFile(filepath.Join(r.root, "config.toml"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	r.create()
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for i := range racers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			for time.Now().Before(end) {
				r.one(random)
			}
		})
	}
	all.Wait()
	r.call([]int{0}, "reconcile")
	if _, out := r.call([]int{0}, "fsck"); out != "" {
		t.Errorf("fsck: %s", out)
	}
	r.ends()
	if left := processesOf(t, r.root); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
	t.Logf("%d commands on %d runs", r.calls.Load(), len(r.runs))
}

// ends compares the recorded runs with the answers to the commands that created and ended
// them.
func (r *race) ends() {
	_, out := r.call([]int{0}, "list")
	listed := map[string]string{}
	for line := range strings.Lines(out) {
		f := strings.Split(line, "\t")
		listed[f[0]] = f[1]
		if f[6] == "cancelled" {
			listed[f[0]] = "cancelled"
		}
		if f[1] == "active" {
			r.Errorf("run %s is active, but has no driver", f[0])
		}
	}
	for _, id := range r.runs {
		state, there := listed[id]
		won := r.won[id]
		switch {
		case there == r.removed[id]:
			r.Errorf("run %s: listed is %v, removed is %v", id, there, r.removed[id])
		case len(won) > 1 || there && len(won) == 1 && won[0] != state:
			r.Errorf("run %s is '%s', and was ended as %v", id, state, won)
		}
	}
}

// processesOf returns the commands of remaining processes of the runs in a root.
func processesOf(t *testing.T, root string) []string {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, path := range environs {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("QUIRE_ROOT="+root+"\x00")) {
			continue // the process is gone, or another user's
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		left = append(left, fmt.Sprintf("%s %q", filepath.Dir(path), command))
	}
	return left
}
