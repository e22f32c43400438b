package test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// runOf returns a run of the pipeline by quire-ci, in its own directory.
func (w *bench) runOf(dir, pipeline string, args ...string) *program {
	w.write(filepath.Join(dir, ".quire/ci.fnl"), "(local ci (require :quire.ci))\n"+pipeline)
	return w.program(dir, append([]string{filepath.Join(prefix, "bin/quire-ci"), "run"}, args...)...)
}

// usual is a pipeline of 25 lines, with the one that runOf prepends.
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

// The work of the reference compiler, as in validate and compile.
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

// reference returns a run of a Lua script with the reference compiler in its first
// argument, or the reason for having none.
func (w *bench) reference(dir, script string) (*program, string) {
	compiler := os.Getenv("FENNEL_REFERENCE")
	if compiler == "" {
		return nil, "FENNEL_REFERENCE names no fennel.lua"
	}
	compiler, err := filepath.Abs(compiler)
	if err != nil {
		w.Fatal(err)
	}
	w.write(filepath.Join(dir, "reference.lua"), script)
	return w.program(dir, cmp.Or(os.Getenv("FENNEL_LUA"), "lua5.4"), "reference.lua", compiler), ""
}

// validate compares a validation with the start of a Go program that does nothing, built
// and installed like quire, and with an evaluation by the reference compiler.
func (w *bench) validate() []row {
	const measure = "quire-ci validate, 25 lines"
	ours := w.runOf("validate", usual)
	ours.args[1] = "validate"
	w.write("empty/main.go", "package main\n\nfunc main() {}\n")
	w.sh("cd empty && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o linked main.go && cp linked empty")
	empty := w.program("empty", filepath.Join(w.dir, "empty/empty"))
	m := medianTimes(101, ours.time, empty.time)
	rows := []row{{measure, "an empty Go program", m[0], m[1], "/3"}}
	other, missing := w.reference("validate", referenceEval)
	if missing != "" {
		return append(rows, row{measure: measure, against: "the reference compiler", limit: missing})
	}
	m = medianTimes(31, ours.time, other.time)
	return append(rows, row{measure, "the reference compiler", m[0], m[1], "4x"})
}

// compileLong compares compilations of a program of 5,000 lines.
func (w *bench) compileLong() []row {
	r := row{measure: "5,000 lines of Fennel", against: "the reference compiler"}
	ours := w.runOf("compile", longText())
	ours.args = []string{ours.args[0], "compile", ".quire/ci.fnl"}
	other, missing := w.reference("compile", referenceCompile)
	if missing != "" {
		r.limit = missing
		return []row{r}
	}
	m := medianTimes(5, ours.time, other.time)
	r.ours, r.theirs, r.limit = m[0], m[1], "20x"
	return []row{r}
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

// chain compares ten jobs, one after the other, with the same commands in a shell, which
// keeps no logs.
func (w *bench) chain() []row {
	ours := w.runOf("chain", `(for [i 1 10]
  (ci.job (.. :j i) [(if (= i 1) :quire/push (.. :j (- i 1)))] (fn [{: sh}] (sh "true"))))`)
	shell := w.program("chain", "sh", "-c", strings.Repeat("sh -c true\n", 10)+":")
	m := medianTimes(31, ours.time, shell.time)
	return []row{{"chain of ten jobs", "a shell script", m[0], m[1], "/2.2"}}
}

func (w *bench) eightSleeps() []row {
	ours := w.runOf("sleeps", `(for [i 1 8] (ci.job (.. :j i) [:quire/push] (fn [{: sh}] (sh "sleep 0.2"))))`, "-j", "8")
	return []row{{"eight jobs of sleep 0.2", "-", medianTimes(9, ours.time)[0], 0, "<220"}}
}

// aMillionLines prints 75 MB.
const aMillionLines = "yes 01234567890123456789012345678901234567890123456789012345678901234567890123 | head -n 1000000"

// printing is a pipeline whose job prints and returns the output.
func printing(command string) string {
	return `(ci.job :main [:quire/push] (fn [{: sh}] (sh "` + command + `")))`
}

// output compares a job that prints much with the same command printing to a file.
func (w *bench) output() []row {
	ours := w.runOf("output", printing(aMillionLines))
	file := w.program("output", "sh", "-c", "sh -c '"+aMillionLines+"' >file")
	m := medianTimes(5, ours.time, file.time)
	gigabyte := w.runOf("gigabyte", printing(strings.Replace(aMillionLines, "-n 1000000", "-c 1000000000", 1)))
	gigabyte.time(0)
	return []row{
		{"1,000,000 lines, 75 MB", "a file", m[0], m[1], "/3"},
		{"1,000,000 lines, memory in MB", "-", ours.peak, 0, "<64"},
		{"1 GB, memory in MB", "-", gigabyte.peak, 0, "<64"},
	}
}

// fiftySecrets compares a million lines with fifty secrets to redact and without.
func (w *bench) fiftySecrets() []row {
	secrets := map[string]string{}
	for i := range 50 {
		secrets[fmt.Sprint("secret", i)] = fmt.Sprintf("ghp_%dabcdefghijklmnopqrstuvwxyz%d", i*7919, i)
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		w.Fatal(err)
	}
	w.write("secrets", string(text))
	with := w.runOf("with", printing(aMillionLines), "--secrets", filepath.Join(w.dir, "secrets"))
	m := medianTimes(5, with.time, w.runOf("without", printing(aMillionLines)).time)
	return []row{{"50 secrets, 1,000,000 lines", "none", m[0], m[1], "/2"}}
}
