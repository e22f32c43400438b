package executor

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// timed returns how long one run of a pipeline takes, and fails the benchmark
// unless it is complete.
func timed(b *testing.B, text string, o Options) time.Duration {
	b.Helper()
	p := load(b, text)
	dir := b.TempDir()
	o.Workspace, o.Out, o.Output = dir, filepath.Join(dir, "out"), io.Discard
	o.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	begin := time.Now()
	outcome, err := Run(b.Context(), p, o)
	took := time.Since(begin)
	if err != nil || outcome.State != "complete" {
		b.Fatal(outcome, err)
	}
	os.RemoveAll(o.Out)
	return took
}

// timedShell returns how long a shell takes for a script.
func timedShell(b *testing.B, script string) time.Duration {
	b.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = b.TempDir()
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return time.Since(begin)
}

// compare reports how many times as long f takes as base, by the shortest of each:
// what makes one of them longer is other work of the machine.
func compare(b *testing.B, what string, f, base func() time.Duration) {
	b.Helper()
	best, other := time.Hour, time.Hour
	for b.Loop() {
		best, other = min(best, f()), min(other, base())
	}
	b.ReportMetric(float64(best)/float64(other), what)
}

// Eight jobs of 200 ms at once are to take less than 220 ms.
func BenchmarkEightSleeps(b *testing.B) {
	best := time.Hour
	for b.Loop() {
		best = min(best, timed(b, `for i = 1, 8 do
			job("j" .. i, {"quire/push"}, function(q) q.sh("sleep 0.2") end)
		end`, Options{Parallel: 8}))
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "ms-best")
}

// A chain of ten jobs is to take at most twice what a shell does.
func BenchmarkChain(b *testing.B) {
	compare(b, "x-shell", func() time.Duration {
		return timed(b, `for i = 1, 10 do
			job("j" .. i, {i == 1 and "quire/push" or "j" .. i - 1}, function(q) q.sh("true") end)
		end`, Options{})
	}, func() time.Duration {
		return timedShell(b, strings.Repeat("sh -c true\n", 10))
	})
}

// aMillionLines is a command that prints 75 MB.
const aMillionLines = "yes 01234567890123456789012345678901234567890123456789012345678901234567890123 | head -n 1000000"

// A million lines are to take at most three times what they take to a file.
func BenchmarkMillionLines(b *testing.B) {
	compare(b, "x-file", func() time.Duration {
		return timed(b, printing(aMillionLines), Options{})
	}, func() time.Duration {
		return timedShell(b, aMillionLines+" > file")
	})
}

// printing is a pipeline whose job prints and returns what it printed.
func printing(command string) string {
	return `job("main", {"quire/push"}, function(q) return q.sh("` + command + `") end)`
}

// A gigabyte is to take less than 64 MB of memory. A process of its own runs it, so
// that nothing else counts.
func BenchmarkGigabyteMemory(b *testing.B) {
	const child = "QUIRE_BENCH_CHILD"
	if os.Getenv(child) != "" {
		timed(b, printing(strings.Replace(aMillionLines, "-n 1000000", "-c 1000000000", 1)), Options{})
		return
	}
	var peak int64
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^"+b.Name()+"$", "-test.benchtime=1x")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	b.ReportMetric(float64(peak)/1000, "MB-peak")
}

// Fifty secrets are to take less than twice the time of none.
func BenchmarkFiftySecrets(b *testing.B) {
	secrets := map[string]string{}
	for i := range 50 {
		secrets[fmt.Sprint("secret", i)] = fmt.Sprintf("ghp_%dabcdefghijklmnopqrstuvwxyz%d", i*7919, i)
	}
	const text = `job("main", {"quire/push"}, function(q) q.sh("` + aMillionLines + `") end)`
	compare(b, "x-without", func() time.Duration {
		return timed(b, text, Options{Secrets: secrets})
	}, func() time.Duration {
		return timed(b, text, Options{})
	})
}
