package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The benchmarks compare whole processes, from their start to their exit, in turn in
// one run: what makes one of a pair longer is mostly other work of the machine, and
// hits both. A metric that begins with "x-" is the median of the ratios of pairs,
// with "best-" behind it that of the shortest of each.

// A measured command runs again and again.
type measured struct {
	args []string
	dir  string
	peak int64 // memory, in bytes
}

// run times the process and nothing beside it: what exec.Cmd does for one takes a tenth
// of the shortest.
func (p *measured) run(b *testing.B) time.Duration {
	b.Helper()
	program, err := exec.LookPath(p.args[0])
	if err != nil {
		b.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	begun := time.Now()
	pid, err := syscall.ForkExec(program, p.args, &syscall.ProcAttr{Dir: p.dir, Env: os.Environ(), Files: files})
	if err == nil {
		_, err = syscall.Wait4(pid, &status, 0, &usage)
	}
	took := time.Since(begun)
	if err != nil || status != 0 {
		b.Fatalf("%q: status %x, %v", p.args, status, err)
	}
	p.peak = max(p.peak, usage.Maxrss<<10)
	return took
}

// ci returns a run of the pipeline by an installed command. What make install wrote
// starts quicker than the file that the linker did, by a tenth on ext4: the page cache has
// it in larger pieces.
func ci(b *testing.B, pipeline string, args ...string) *measured {
	b.Helper()
	dir := b.TempDir()
	prefix := b.TempDir()
	if out, err := exec.Command("make", "-s", "-C", "../..", "install", "PREFIX="+prefix).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	if err := os.Mkdir(filepath.Join(dir, ".quire"), 0o755); err != nil {
		b.Fatal(err)
	}
	text := "(local ci (require :quire.ci))\n" + pipeline
	if err := os.WriteFile(filepath.Join(dir, ".quire/ci.fnl"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	return &measured{args: append([]string{filepath.Join(prefix, "bin/quire-ci"), "run", "--workspace", dir}, args...), dir: dir}
}

func sh(b *testing.B, script string) *measured {
	return &measured{args: []string{"sh", "-c", script}, dir: b.TempDir()}
}

// compare reports how many times as long p takes as base.
func compare(b *testing.B, what string, p, base *measured) {
	b.Helper()
	var ratios []float64
	best, bestBase := time.Hour, time.Hour
	p.run(b) // fills the caches
	for b.Loop() {
		took, other := p.run(b), base.run(b)
		ratios = append(ratios, float64(took)/float64(other))
		best, bestBase = min(best, took), min(bestBase, other)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-"+what)
	b.ReportMetric(float64(best)/float64(bestBase), "x-best-"+what)
}

func reportPeak(b *testing.B, p *measured) { b.ReportMetric(float64(p.peak)/1e6, "MB-peak") }

// Eight jobs of 200 ms at once are to take less than 220 ms.
func BenchmarkEightSleeps(b *testing.B) {
	p := ci(b, `(for [i 1 8] (ci.job (.. :j i) [:quire/push] (fn [{: sh}] (sh "sleep 0.2"))))`, "-j", "8")
	best := time.Hour
	for b.Loop() {
		best = min(best, p.run(b))
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "ms-best")
}

// A chain of ten jobs is to take at most twice what a shell takes for the same
// commands. The shell keeps no logs.
func BenchmarkChain(b *testing.B) {
	p := ci(b, `(for [i 1 10]
  (ci.job (.. :j i) [(if (= i 1) :quire/push (.. :j (- i 1)))] (fn [{: sh}] (sh "true"))))`)
	compare(b, "shell", p, sh(b, strings.Repeat("sh -c true\n", 10)+":"))
}

// aMillionLines prints 75 MB.
const aMillionLines = "yes 01234567890123456789012345678901234567890123456789012345678901234567890123 | head -n 1000000"

// printing is a pipeline whose job prints and returns what it printed.
func printing(command string) string {
	return `(ci.job :main [:quire/push] (fn [{: sh}] (sh "` + command + `")))`
}

// A million lines are to take at most three times what they take to a file, and 64 MB.
func BenchmarkMillionLines(b *testing.B) {
	p := ci(b, printing(aMillionLines))
	compare(b, "file", p, sh(b, "sh -c '"+aMillionLines+"' > file"))
	reportPeak(b, p)
}

// A gigabyte is to take no more memory than that.
func BenchmarkGigabyte(b *testing.B) {
	p := ci(b, printing(strings.Replace(aMillionLines, "-n 1000000", "-c 1000000000", 1)))
	for b.Loop() {
		p.run(b)
	}
	reportPeak(b, p)
}

// Fifty secrets are to take less than twice the time of none.
func BenchmarkFiftySecrets(b *testing.B) {
	secrets := map[string]string{}
	for i := range 50 {
		secrets[fmt.Sprint("secret", i)] = fmt.Sprintf("ghp_%dabcdefghijklmnopqrstuvwxyz%d", i*7919, i)
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "secrets")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	pipeline := printing(aMillionLines)
	compare(b, "without", ci(b, pipeline, "--secrets", file), ci(b, pipeline))
}
