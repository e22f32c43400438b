package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/vm"
)

// boundsCase names the case that the child process of TestBounds loads.
const boundsCase = "QUIRE_TEST_BOUNDS"

var boundsLimits = vm.Limits{Time: time.Second, Memory: 32 << 20}

// boundsCases are pipelines that need much more than the limits, or nothing.
func boundsCases() map[string]map[string]string {
	ci := func(text string) map[string]string { return map[string]string{Fennel: text} }
	include := ci("")
	for i := range 20 {
		include[Fennel] += fmt.Sprintf("(include :m%d)\n", i)
		include[fmt.Sprintf("%s/m%d.lua", Dir, i)] = strings.Repeat("a=1;", 250_000)
	}
	module := ci("(require :big)")
	module[Dir+"/big.fnl"] = "(macro m [] (var l '(fn [] 1)) (for [i 1 18] (set l `[,l ,l])) l) (m)"
	return map[string]map[string]string{
		"nothing":       ci("(local ci (require :quire.ci))"),
		"macro":         ci("(macro m [] (var l '(fn [] 1)) (for [i 1 18] (set l `[,l ,l])) l) (local x (m))"),
		"macros":        ci("(macro d [x] `(do ,x ,x)) " + strings.Repeat("(d ", 30) + "1" + strings.Repeat(")", 30)),
		"module":        module,
		"include":       include,
		"view":          ci("(macro m [] (var l [1]) (for [i 1 40] (set l [l l])) (view l)) (m)"),
		"macroexpand":   ci("(macro m [] (var l '(fn [] 1)) (for [i 1 40] (set l `[,l ,l])) (macroexpand l)) (m)"),
		"strings":       ci("(macro m [] (let [s (string.rep :x 100000)] (fcollect [i 1 10000] (.. s i)))) (m)"),
		"numbers":       ci("[" + strings.Repeat("1 ", maxSize/2-10) + "]"),
		"lists":         ci(strings.Repeat("()", maxSize/2-10)),
		"functions":     ci(strings.Repeat("(fn [])", maxSize/8)),
		"gensyms":       ci("(macro m [] `(let [a# 1 b# 2] a#)) " + strings.Repeat("(m)", maxSize/4)),
		"alternatives":  ci("(case x (where (or " + strings.Repeat("[a b] ", maxSize/8) + ")) a)"),
		"filled arrays": ci("(local t []) (for [i 1 100] (tset t i []) (tset (. t i) 524286 1))"),
		"a module of a macro": {
			Fennel:         "(import-macros {: m} :m) (m)",
			Dir + "/m.fnl": "(local t []) (while true (table.insert t (string.rep :x 1000)))",
		},
	}
}

// TestBounds checks that the compiler's consumption counts towards the limits: beyond the
// needs of an empty pipeline, at most three times the memory and twice the processor
// time.
func TestBounds(t *testing.T) {
	if name := os.Getenv(boundsCase); name != "" {
		loadForBounds(name)
		return
	}
	base := measureLoad(t, "nothing")
	for name := range boundsCases() {
		if name == "nothing" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			used := measureLoad(t, name)
			memory, cpu := used.memory-base.memory, used.cpu-base.cpu
			t.Logf("%d MiB, %s: %s", memory>>20, cpu, used.message)
			if memory > 3*int64(boundsLimits.Memory) {
				t.Errorf("took %d MiB", memory>>20)
			}
			if cpu > 2*boundsLimits.Time {
				t.Errorf("took %s", cpu)
			}
		})
	}
}

type loadUsage struct {
	memory  int64 // the largest resident set, in bytes
	cpu     time.Duration
	message string
}

// measureLoad loads a case in its own process.
func measureLoad(t *testing.T, name string) loadUsage {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestBounds$")
	cmd.Env = append(os.Environ(), boundsCase+"="+name)
	out, err := cmd.CombinedOutput()
	m := regexp.MustCompile(`(?s)^(\d+) (\d+) ([^\n]*)`).FindStringSubmatch(string(out))
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, out)
	}
	kib, _ := strconv.ParseInt(m[1], 10, 64)
	cpu, _ := strconv.ParseInt(m[2], 10, 64)
	return loadUsage{kib << 10, time.Duration(cpu), m[3]}
}

// loadForBounds loads a case, and prints the kibibytes and the nanoseconds of processor
// time that this took, and the error. The time is for the loading thread: the garbage
// collector works beside it on others.
func loadForBounds(name string) {
	runtime.LockOSThread()
	var pairs []string
	for file, text := range boundsCases()[name] {
		pairs = append(pairs, file, text)
	}
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
		panic(err)
	}
	p, err := Load(context.Background(), files(pairs...), Options{Limits: boundsLimits})
	if err == nil {
		p.Close()
	}
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &after); err != nil {
		panic(err)
	}
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	fmt.Println(after.Maxrss, spent, strings.ReplaceAll(fmt.Sprint(err), "\n", " | "))
}
