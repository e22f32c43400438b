package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// usual is a pipeline of 25 lines, with the one that ci puts in front.
const usual = `(local targets [:linux :freebsd :openbsd])
(ci.image "debian:12")

(fn make [sh target]
  (sh [:make (.. "TARGET=" target)] {:env {:CGO_ENABLED "0"} :timeout "10m"}))

(ci.job :lint [:quire/push]
  (fn [{: sh}]
    (sh "gofmt -l .")))

(each [_ os (ipairs targets)]
  (ci.job (.. "build-" os) [:lint]
    (fn [{: sh}]
      (let [r (make sh os)]
        (if (= 0 r.exit) {:os os :ok true} (error r.stderr))))))

(ci.job :publish (icollect [_ os (ipairs targets)] (.. "build-" os))
  (fn [{: sh : jobs : secret}]
    (let [{: tag} (jobs :quire/push)]
      (when tag
        (sh [:./publish tag] {:env {:TOKEN (secret :token)}}))))
  {:when {:tag "v*"}})
`

// What the reference compiler is made to do: as validate and compile do it.
const (
	referenceEval = `local fennel = dofile(arg[1])
local jobs = {}
package.preload["quire.ci"] = function()
  return {image = function() end, job = function(id) jobs[#jobs + 1] = id end}
end
local file = assert(io.open(".quire/ci.fnl"))
fennel.eval(file:read("*a"), {filename = ".quire/ci.fnl", correlate = true})
print(table.concat(jobs, "\n"))
`
	referenceCompile = `local fennel = dofile(arg[1])
local file = assert(io.open(".quire/ci.fnl"))
local lua = fennel.compileString(file:read("*a"), {filename = ".quire/ci.fnl", correlate = true})
io.write(lua)
`
)

// reference returns a run of a script with the reference compiler, where p runs. The
// compiler is the fennel.lua that FENNEL_REFERENCE names, on the Lua of FENNEL_LUA;
// without one the benchmark is skipped.
func reference(b *testing.B, p *measured, script string) *measured {
	b.Helper()
	compiler := os.Getenv("FENNEL_REFERENCE")
	if compiler == "" {
		b.Skip("no reference compiler: FENNEL_REFERENCE does not name a fennel.lua")
	}
	compiler, err := filepath.Abs(compiler)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(p.dir, "reference.lua")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		b.Fatal(err)
	}
	return &measured{args: []string{cmp.Or(os.Getenv("FENNEL_LUA"), "lua5.4"), file, compiler}, dir: p.dir}
}

// emptyProgram returns a run of a Go program that does nothing, built and installed as
// quire is.
func emptyProgram(b *testing.B) *measured {
	b.Helper()
	dir := b.TempDir()
	source, linked, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "linked"), filepath.Join(dir, "empty")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	build := exec.Command("sh", "-c", `CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$1" "$2" &&
		dd if="$1" of="$3" bs=16M status=none && chmod 755 "$3"`, "sh", linked, source, binary)
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return &measured{args: []string{binary}, dir: dir}
}

// BenchmarkValidate reports how many times the start of an empty Go program it takes
// to validate a pipeline, and how many times as long the reference compiler takes to
// evaluate it.
func BenchmarkValidate(b *testing.B) {
	p := ci(b, usual)
	p.args = []string{p.args[0], "validate"}
	empty, other := emptyProgram(b), reference(b, p, referenceEval)
	var overEmpty, overOurs []float64
	p.run(b) // fills the caches
	for b.Loop() {
		took := float64(p.run(b))
		overEmpty = append(overEmpty, took/float64(empty.run(b)))
		overOurs = append(overOurs, float64(other.run(b))/took)
	}
	slices.Sort(overEmpty)
	slices.Sort(overOurs)
	b.ReportMetric(overEmpty[len(overEmpty)/2], "x-empty")
	b.ReportMetric(overOurs[len(overOurs)/2], "x-faster-than-reference")
}

// BenchmarkCompileLong reports how many times as long the reference compiler takes
// for a file of 5,000 lines.
func BenchmarkCompileLong(b *testing.B) {
	p := ci(b, longText())
	p.args = []string{p.args[0], "compile", ".quire/ci.fnl"}
	compare(b, "reference", reference(b, p, referenceCompile), p)
}

// longText is a program of 5,000 lines.
func longText() string {
	text := strings.Builder{}
	text.WriteString("(local parts {})\n")
	for i := range 625 {
		fmt.Fprintf(&text, `(fn parts.part-%[1]d [{: sh} opts]
  (let [{: out} (sh (.. "make part-" %[1]d))
        n (length (or opts.parts []))]
    (when (> n %[1]d)
      (each [k v (pairs opts)] (print k v)))
    (case out
      [a b & rest] (+ a b)
      _ (icollect [_ p (ipairs opts.parts)] (if (not= p :x) p)))))
`, i)
	}
	return text.String()
}
