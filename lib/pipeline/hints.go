package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
)

// primitives are the functions in the table that is passed to a run-fn.
var primitives = []string{"env", "jobs", "log", "read-file", "read-json", "secret", "sh", "write-file"}

// insteadOf says what to use instead of a missing feature.
var insteadOf = map[string]string{
	"ci":           "begin with (local ci (require :quire.ci))",
	"io":           "a pipeline reaches no files of its own: use read-file, write-file or sh",
	"load":         "there is no load in a pipeline: put the code into a module and require it",
	"loadstring":   "there is no loadstring in a pipeline: put the code into a module and require it",
	"dofile":       "there is no dofile in a pipeline: use require",
	"os.getenv":    "use env, which the run-fn gets: (fn [{: env}] (env :NAME))",
	"os.execute":   "use sh, which the run-fn gets: (fn [{: sh}] (sh :command))",
	"os.remove":    "use sh, which the run-fn gets: (fn [{: sh}] (sh [:rm :file]))",
	"os.exit":      "raise an error to end the job: (error :message)",
	"io.open":      "use read-file or write-file, which the run-fn gets",
	"io.popen":     "use sh, which the run-fn gets: (fn [{: sh}] (sh :command))",
	"ci.jobs":      "did you mean ci.job?",
	"ci.mirrors":   "did you mean ci.mirror?",
	"ci.images":    "did you mean ci.image?",
	"module quire": "did you mean quire.ci?",
}

// hintFor returns a function that returns the hint for an unknown name of a file.
func hintFor(f *file) func(name string) string {
	return func(name string) string {
		if slices.Contains(primitives, name) {
			if f.isFennel() {
				return "take it as an argument: (fn [{: " + name + "}] ...)"
			}
			return fmt.Sprintf("take it from the argument of the function: function(p) p[%q](...) end", name)
		}
		if name == "ci" && !f.isFennel() {
			return `begin with local ci = require("quire.ci")`
		}
		return insteadOf[name]
	}
}

// errorHint returns the hint for an error that a pipeline raised, "" if there is none.
func errorHint(message string) string {
	if strings.HasPrefix(message, "module 'quire' not found") {
		return insteadOf["module quire"]
	}
	_, called, ok := strings.Cut(message, "attempt to call field '")
	field, _, _ := strings.Cut(called, "'")
	if !ok {
		return ""
	}
	for _, table := range []string{"ci", "os"} {
		if hint := insteadOf[table+"."+field]; hint != "" {
			return hint
		}
	}
	return ""
}

// listHint returns the hint to write a list of one string instead of the string s.
func (f *file) listHint(s string) string {
	if s == "push" {
		s = Push
	}
	if len(s) > maxID || strings.ContainsAny(s, " ()[]{}\"'`,;") {
		return "write a sequence of strings"
	}
	if f.isFennel() {
		return "write [:" + s + "]"
	}
	return fmt.Sprintf("write {%q}", s)
}

// isLua reports whether a file with a Fennel name holds Lua.
func (l *loader) isLua(f *file) bool {
	forms, err := fennel.Read(f.text, f.name)
	if err == nil && len(forms) > 0 {
		if _, list := forms[0].(*fennel.List); list {
			return false
		}
	}
	_, err = l.vm.Load(string(f.text), f.name)
	return err == nil
}

// unknownGlobals reports the globals that a Lua file uses but that are neither known nor
// set by the file. The error is a diag.List.
func unknownGlobals(f *file, p *lua.FunctionProto, known []string) error {
	var used []globalUse
	set := map[string]bool{}
	for _, name := range known {
		set[name] = true
	}
	findGlobals(p, &used, set)
	used = slices.DeleteFunc(used, func(use globalUse) bool { return set[use.name] })
	slices.SortFunc(used, func(a, b globalUse) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.name, b.name))
	})
	used = slices.Compact(used)
	if len(used) == 0 {
		return nil
	}
	var found diag.List
	for _, use := range used[:min(len(used), maxProblems)] {
		d := f.diagnostic(use.line, f.indent(use.line), "unknown global: %s", use.name)
		if d.Hint = hintFor(f)(use.name); d.Hint == "" {
			d.Hint = "declare it with local, or look for a misspelling"
		}
		found = append(found, d)
	}
	return firstOf(len(used), found)
}

type globalUse struct {
	name string
	line int
}

// findGlobals collects the globals that the functions of a file read, and notes the ones
// they set. The instructions are gopher-lua's: the operation in the highest six bits, and
// the number of a constant in the lowest eighteen.
func findGlobals(p *lua.FunctionProto, used *[]globalUse, set map[string]bool) {
	for pc, instruction := range p.Code {
		constant := int(instruction & (1<<18 - 1))
		switch int(instruction >> 26) {
		case lua.OP_GETGLOBAL:
			*used = append(*used, globalUse{p.Constants[constant].String(), p.DbgSourcePositions[pc]})
		case lua.OP_SETGLOBAL:
			set[p.Constants[constant].String()] = true
		}
	}
	for _, inner := range p.FunctionPrototypes {
		findGlobals(inner, used, set)
	}
}
