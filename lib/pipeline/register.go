package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
	"quire/lib/text"
	"quire/lib/vm"
)

// A registry stores the registrations of a pipeline's top level. It notes errors in a
// call and continues, so that all are found at once.
type registry struct {
	tree     *tree
	closed   bool // the top level has ended
	calls    int  // of functions of quire.ci
	jobs     []*registered
	image    string
	setLine  int             // the line of ci.image, 0 without
	seen     map[callKey]int // how many calls
	problems diag.List
	secrets  []Secret
}

// A registered job has its call, for diagnostics.
type registered struct {
	*Job
	call  call
	after fennel.Node // the inputs of the mirror as written
}

// newRegistry creates the module quire.ci.
func newRegistry(tree *tree, v *vm.VM) *registry {
	r := &registry{tree: tree, seen: map[callKey]int{}}
	l := v.State()
	v.Preload("quire.ci", l.SetFuncs(l.NewTable(), map[string]lua.LGFunction{
		"job": r.job, "image": r.setImage, "mirror": r.mirror,
	}))
	return r
}

// A callKey is what Lua knows of a call. Calls with the same key can only be told apart by
// their order.
type callKey struct {
	file  string
	line  int
	first string // the first argument
}

// maxCalls limits the size of the graph, and of each part of it.
const maxCalls = 1000

// call finds the call of the function name that contains l.
func (r *registry) call(l *lua.LState, name string) call {
	if r.closed {
		vm.Raise(l, fmt.Errorf("ci.%s can only be called at the top level of the pipeline, not by a job", name))
	}
	if r.calls++; r.calls > maxCalls {
		vm.Raise(l, fmt.Errorf("pipeline calls ci more than %d times", maxCalls))
	}
	file, line := vm.Caller(l)
	key := callKey{file, line, lua.LVAsString(l.Get(1))}
	nth := r.seen[key]
	r.seen[key]++
	return r.tree.callOf(key, name, nth)
}

func (r *registry) report(d diag.Diagnostic) { r.problems = append(r.problems, d) }

// job is ci.job.
func (r *registry) job(l *lua.LState) int {
	c := r.call(l, "job")
	id, ok := l.Get(1).(lua.LString)
	if !ok {
		r.report(c.problemAt(c.arg(1), "job id must be a string, not %s", kind(l.Get(1))))
		return 0
	}
	j := r.add(&Job{ID: string(id)}, c)
	if err := checkID(j.ID); err != nil {
		r.report(c.problemAt(c.arg(1), "%s", err))
	}
	what := "job " + quoted(j.ID)
	inputs, ok := r.strings(c, what, "inputs", l.Get(2), c.arg(2))
	j.Inputs = unique(inputs)
	if ok && len(inputs) == 0 {
		r.report(c.problemAt(c.arg(2), "%s has no inputs", what)) // and would never run
	}
	if j.Fn, ok = l.Get(3).(*lua.LFunction); !ok {
		r.report(c.problemAt(c.arg(3), "run-fn of %s must be a function, not %s", what, kind(l.Get(3))))
	}
	r.checkFunction(c, c.arg(3))
	r.jobOptions(c, what, l.Get(4), &j.Options)
	if l.GetTop() > 4 {
		r.report(c.problemAt(c.arg(5), "%s has more than 4 arguments", what))
	}
	return 0
}

func (r *registry) add(j *Job, c call) *registered {
	j.File, j.Line, j.Column = c.file.name, c.line, c.column
	r.jobs = append(r.jobs, &registered{Job: j, call: c})
	return r.jobs[len(r.jobs)-1]
}

// maxID limits an id, which is the name of a directory.
const maxID = 200

// checkID returns an error for a bad job id. A slash is reserved for quire's own ids.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("job id is empty")
	case id == "." || id == "..":
		return fmt.Errorf("job id '%s' cannot be a file name", id)
	case strings.Contains(id, "/"):
		return fmt.Errorf("job id %s has a '/'", quoted(id))
	case !utf8.ValidString(id):
		return fmt.Errorf("job id %s is not UTF-8", quoted(id))
	case strings.ContainsFunc(id, unicode.IsControl):
		return fmt.Errorf("job id %s has a control character", quoted(id))
	case len(id) > maxID:
		return fmt.Errorf("job id %s is longer than %d bytes", quoted(id), maxID)
	}
	return nil
}

// setImage is ci.image.
func (r *registry) setImage(l *lua.LState) int {
	c := r.call(l, "image")
	name, ok := l.Get(1).(lua.LString)
	switch {
	case !ok || name == "":
		r.report(c.problemAt(c.arg(1), "image must be a string, not %s", kind(l.Get(1))))
	case name[0] == '-' || strings.ContainsFunc(string(name), invalidInImage):
		r.report(c.problemAt(c.arg(1), "%s cannot be the name of an image", quoted(string(name))))
	case r.setLine > 0:
		r.report(c.problem("image is set twice, first on line %d", r.setLine))
	default:
		r.image, r.setLine = string(name), c.line
	}
	return 0
}

// invalidInImage reports characters that no image name has: a launcher gets the name as one
// word of an argv, and must not take it for an option or for several words.
func invalidInImage(c rune) bool {
	return unicode.IsControl(c) || unicode.IsSpace(c) || c == utf8.RuneError
}

// mirror is ci.mirror.
func (r *registry) mirror(l *lua.LState) int {
	c := r.call(l, "mirror")
	m := &Mirror{}
	j := r.add(&Job{ID: MirrorID, Mirror: m, Inputs: []string{Push}}, c)
	url, ok := l.Get(1).(lua.LString)
	if !ok || url == "" {
		r.report(c.problemAt(c.arg(1), "URL of the mirror must be a string, not %s", kind(l.Get(1))))
	}
	m.URL = string(url)
	r.mirrorOptions(c, l.Get(2), m, j)
	return 0
}

// kind names the type of a value in messages.
func kind(v lua.LValue) string {
	switch v := v.(type) {
	case *lua.LNilType:
		return "nil"
	case lua.LString:
		if v == "" {
			return "an empty string"
		}
		return quoted(string(v))
	case lua.LNumber, lua.LBool:
		return v.String()
	}
	return "a " + v.Type().String()
}

// quoted quotes a string, and cuts a long one.
func quoted(s string) string { return "'" + text.Cut(s, 60) + "'" }

// unique drops repeated items.
func unique(list []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			once = append(once, s)
		}
		seen[s] = true
	}
	return once
}
