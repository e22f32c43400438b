// Package pipeline reads the pipeline of a commit or a workspace: it compiles the file,
// evaluates its top level in a sandbox, which registers the jobs, and checks the job
// graph. It reports all errors at once, each with its position.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/vm"
)

// The paths of a pipeline, below the top of a commit's tree.
const (
	Dir    = ".quire"
	Fennel = Dir + "/ci.fnl"
	Lua    = Dir + "/ci.lua"
)

// Push is the source that every job reaches: the push that caused the run.
const Push = "quire/push"

// MirrorID is the id of the built-in job that ci.mirror defines.
const MirrorID = "quire/mirror"

// maxSize limits a pipeline file and each module, in bytes.
const maxSize = 1 << 20

// ErrNone is the error for a tree without a pipeline.
var ErrNone = errors.New("no pipeline: neither '" + Fennel + "' nor '" + Lua + "' exists")

// Options say how to evaluate a pipeline.
type Options struct {
	Limits vm.Limits    // for the top level, for macros, and for each stretch of a job's Lua
	Log    func(string) // gets each line that the pipeline prints; nil: discard
}

// A Pipeline has been checked and is correct.
type Pipeline struct {
	File  string // Fennel or Lua
	Image string // from ci.image, "" without
	Jobs  []*Job // each after its inputs, otherwise in the order of definition
	VM    *vm.VM // holds the jobs' functions

	Secrets []Secret // literal names that the functions ask for
}

// A Secret is a name that a job asks for.
type Secret struct {
	Name string
	At   diag.Diagnostic // without a message
}

// Close frees the VM. The jobs' functions must not be called any more.
func (p *Pipeline) Close() { p.VM.Close() }

// A Job is one job of a pipeline.
type Job struct {
	ID      string
	Inputs  []string       // ids of jobs and sources, each once
	Fn      *lua.LFunction // nil if Mirror is set
	Mirror  *Mirror        // of the built-in job, otherwise nil
	Options JobOptions

	File         string // of the definition
	Line, Column int    // 1-based
}

// JobOptions are the options of ci.job.
type JobOptions struct {
	Timeout      time.Duration // 0: none
	Retry        int           // how many retries after a failure
	AllowFailure bool          // a failure does not fail the run
	AllowSkipped bool          // run also if some inputs, but not all, were skipped
	Always       bool          // run whatever happened to the inputs
	OwnWorkspace bool          // run in a copy of the workspace as it was before any job ran
	When         When
}

// When says which pushes run a job. Its patterns have '*', '?' and, across slashes, "**".
// A condition without patterns is ignored.
type When struct {
	Branch, Tag []string // for the ref: it must match one pattern of either
	Paths       []string // for the files that the push changed
	Trigger     []string // for the cause of the run, see push.Facts
}

// A Mirror holds the arguments of ci.mirror.
type Mirror struct {
	URL    string
	Secret string         // the name of the secret to push with, "" for none
	Tag    *lua.LFunction // returns the name of the tag; nil: no tag
	Refs   []string       // to push; none: the ref that was pushed
}

// Load reads the pipeline of the tree fsys. If there is none, the error is ErrNone; if it
// is invalid, a diag.List. Any other error is not the pipeline's. The caller closes the
// pipeline.
func Load(ctx context.Context, fsys Files, o Options) (*Pipeline, error) {
	tree := newTree(fsys)
	main, err := tree.find()
	if err != nil {
		return nil, err
	}
	p := &Pipeline{File: main.name, VM: vm.New(o.Limits)}
	if o.Log != nil {
		p.VM.SetPrint(o.Log)
	}
	if err := p.evaluate(ctx, tree, main, o.Limits); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// evaluate compiles and runs the top level, and stores the jobs that it registered.
func (p *Pipeline) evaluate(ctx context.Context, tree *tree, main *file, limits vm.Limits) error {
	l := &loader{vm: p.VM, limits: limits, tree: tree, dir: Dir, globals: p.VM.Globals()}
	bound := p.VM.Bound(ctx) // one stretch of Lua
	defer bound.End()
	fn, err := l.function(ctx, main, "")
	if err != nil {
		return err
	}
	r := newRegistry(tree, p.VM)
	p.VM.Search(l.searcher(ctx))
	_, err = p.VM.Call(ctx, fn)
	r.closed = true
	if err != nil {
		return tree.diagnose(ctx, err, r.problems)
	}
	r.check(main)
	if len(r.problems) > 0 {
		return sorted(r.problems)
	}
	p.Image, p.Jobs, p.Secrets = r.image, r.order(), r.secrets
	return nil
}

// maxProblems is the most diagnostics worth reading.
const maxProblems = 100

// sorted puts diagnostics in the order of the source, and keeps the first maxProblems.
func sorted(problems diag.List) diag.List {
	problems.Sort()
	return firstOf(len(problems), problems)
}

// firstOf keeps the first maxProblems diagnostics, and says how many of all are left out.
func firstOf(all int, problems diag.List) diag.List {
	problems = problems[:min(len(problems), maxProblems)]
	if more := all - len(problems); more > 0 {
		problems = append(problems, diag.Diagnostic{
			File: problems[0].File, Message: fmt.Sprintf("there are %d more errors", more),
		})
	}
	return problems
}
