// Package executor runs a pipeline: it starts the jobs in the order of the graph, several
// at a time, runs their commands, and records events, logs, outputs and artifacts.
//
// All run-fns share one Lua state, and only one of them uses it at a time. While a command
// of one job runs, other jobs continue. Secrets are redacted in events.jsonl, in the logs
// and on the console.
package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"quire/lib/pipeline"
	"quire/lib/process"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/text"
	"quire/lib/vm"
)

// Options configure a run.
type Options struct {
	Workspace string // absolute; the directory of the commands
	Out       string // absolute; for events.jsonl and jobs; created if it is missing
	Facts     push.Facts
	Shell     []string // runs commands that are strings; empty: DefaultShell
	Secrets   map[string]string
	Env       []string          // the variables that every environment starts with, see BaseEnv
	Vars      map[string]string // further variables of every job
	Parallel  int               // jobs at once; 0: the number of processors
	Timeout   time.Duration     // of the run; 0: none
	OnTimeout func()            // called when the run exceeds Timeout, before its processes are ended; nil: none
	Grace     time.Duration     // between TERM and KILL; 0: 10 seconds
	FailFast  bool              // the first failure ends the run
	Only      []string          // run only these jobs and the jobs that they need; nil: all
	Cgroup    *process.Cgroup   // for commands; nil: the cgroup of this process

	Cache        string // the directory that QUIRE_CACHE names, created if needed; "": none
	MaxArtifacts uint64 // bytes of the artifacts of all jobs; 0: no limit
	MaxLog       uint64 // bytes of the beginning of a command's log, see runlog.NewLog; 0: no limit

	// Withheld maps the secrets that the run may not use to the reason, which is the end of
	// a sentence such as "is not for this ref".
	Withheld map[string]string

	// SecretsHint says how to define a secret, for the message that one is missing.
	SecretsHint string

	// Done maps jobs that succeeded in an earlier run of the same commit to their outputs
	// in the form of events.jsonl. They do not run again unless they have :always.
	Done map[string]json.RawMessage

	// Again is a job that runs again although Done has it. The jobs that need it run again
	// too. Other jobs that are not in Done do not run and fail, unless Again needs them. ""
	// for none.
	Again string

	// Output receives the progress, each line marked with its job; nil: none is written.
	// If it is a terminal, Columns returns its width, and a last line shows the running
	// jobs.
	Output  io.Writer
	Columns func() int
	Color   bool

	temporary bool // UseOut made Out, which need not survive a crash and is not synced
}

// CommandShell returns a new slice with the words in front of a command that is a string.
func (o Options) CommandShell() []string {
	if len(o.Shell) == 0 {
		return slices.Clone(DefaultShell)
	}
	return slices.Clone(o.Shell)
}

// defaultGrace is how long processes have between TERM and KILL.
const defaultGrace = 10 * time.Second

// An Outcome is how a run ended.
type Outcome struct {
	State  string // runlog.Complete or Failed
	Reason string // of a failure: exit, timeout, cancelled, internal; see quire-run(5)
	Code   int    // with reason exit, 1
	Jobs   []JobOutcome
}

// A run is a run in progress.
type run struct {
	Options
	pipeline  *pipeline.Pipeline
	workspace *workspace
	redact    *runlog.Redactor
	events    *runlog.Events
	console   *console
	jobs      []*job // topological
	byID      map[string]*job
	cancel    context.CancelCauseFunc

	mu       sync.Mutex
	broken   error     // the first error of quire itself
	deadline time.Time // end of the grace period, once the run is being ended
	timedOut bool      // the run exceeded Timeout and fails

	artifacts uint64 // bytes, of all jobs
}

func (r *run) vm() *vm.VM { return r.pipeline.VM }

// Run runs the jobs of p. A failed job is part of the outcome. The error is quire's own,
// such as a full disk; the outcome is then failed, reason internal. If ctx ends, Run ends
// all processes of the run before it returns.
//
// When Run returns, every process that a job started is gone, even a daemon. To achieve
// that, Run adopts orphans and ends all descendants of this process. So a process may have
// only one Run at a time, and only children in its own process group survive it.
func Run(ctx context.Context, p *pipeline.Pipeline, o Options) (Outcome, error) {
	r, err := newRun(p, o)
	if err != nil {
		return Outcome{State: runlog.Failed, Reason: reasonInternal}, err
	}
	defer r.workspace.close()
	defer r.removeScratch()
	ctx, r.cancel = context.WithCancelCause(ctx)
	defer r.cancel(nil)
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Timeout, tooLong("the run", r.Timeout))
		defer cancel()
	}
	r.emit(r.startEvent())
	r.console.watch()
	r.copyWorkspace(ctx)
	r.schedule(ctx)
	r.console.close()
	if err := process.EndDescendants(r.grace()); err != nil {
		r.fatal(err)
	}
	return r.finish(ctx)
}

func newRun(p *pipeline.Pipeline, o Options) (*run, error) {
	if o.Parallel <= 0 {
		o.Parallel = runtime.NumCPU()
	}
	o.Shell = o.CommandShell()
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	r := &run{Options: o, pipeline: p, byID: map[string]*job{}, redact: runlog.NewRedactor(o.Secrets)}
	if err := r.addJobs(); err != nil {
		return nil, err
	}
	if err := process.CheckProc(); err != nil {
		return nil, err
	}
	if err := process.Subreaper(); err != nil {
		return nil, err
	}
	for _, dir := range []string{o.Out, o.Cache} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make directory '%s': %w", dir, text.Cause(err))
		}
	}
	var err error
	if r.workspace, err = openWorkspace(o.Workspace); err != nil {
		return nil, err
	}
	for _, j := range r.jobs {
		j.workspace = r.workspace
	}
	path := filepath.Join(o.Out, runlog.EventsFile)
	if r.events, err = runlog.CreateEvents(path); err != nil {
		r.workspace.close()
		return nil, fmt.Errorf("cannot create '%s': %w", path, text.Cause(err))
	}
	if err := r.makeScratch(); err != nil {
		r.workspace.close()
		r.events.Close()
		return nil, err
	}
	r.console = newConsole(o, r.jobs)
	r.vm().SetPrint(func(text string) { r.console.say("", r.redact.String(text)) })
	return r, nil
}

// addJobs adds the jobs of the pipeline to the run. If Only is set, it adds only these jobs and
// the jobs that they need. It returns an *UnknownJobError for a job that is not in the pipeline.
func (r *run) addJobs() error {
	wanted := map[string]bool{}
	for _, id := range r.Only {
		if !slices.ContainsFunc(r.pipeline.Jobs, func(j *pipeline.Job) bool { return j.ID == id }) {
			return &UnknownJobError{ID: id}
		}
		wanted[id] = true
	}
	for _, spec := range slices.Backward(r.pipeline.Jobs) {
		if len(r.Only) > 0 && !wanted[spec.ID] {
			continue
		}
		for _, in := range spec.Inputs {
			wanted[in] = true
		}
	}
	for _, spec := range r.pipeline.Jobs {
		if len(r.Only) > 0 && !wanted[spec.ID] {
			continue
		}
		j := &job{run: r, spec: spec, needs: map[string]bool{}}
		j.env = JobEnv(r.Env, r.Facts, r.Workspace, spec.ID, r.Vars)
		j.setEnv("QUIRE_ARTIFACTS="+j.artifactsDir(), "QUIRE_INPUTS="+r.scratch(noInputs))
		if spec.Options.OwnWorkspace {
			j.setEnv("QUIRE_WORKSPACE=" + j.ownDir())
		}
		if r.Cache != "" {
			j.setEnv("QUIRE_CACHE=" + r.Cache)
		}
		for _, in := range spec.Inputs {
			j.needs[in] = true
			if input := r.byID[in]; input != nil {
				input.needed = true
				for id := range input.needs {
					j.needs[id] = true
				}
			}
		}
		r.jobs = append(r.jobs, j)
		r.byID[spec.ID] = j
	}
	return r.chooseAgain()
}

// chooseAgain marks the jobs that run again because of Again, and those left out.
func (r *run) chooseAgain() error {
	if r.Again == "" {
		return nil
	}
	again := r.byID[r.Again]
	if again == nil {
		return &UnknownJobError{ID: r.Again}
	}
	for _, j := range r.jobs {
		j.again = j == again || j.needs[r.Again]
		j.leftOut = !j.again && !again.needs[j.spec.ID]
	}
	return nil
}

// An UnknownJobError names a requested job that is not in the pipeline.
type UnknownJobError struct{ ID string }

func (e *UnknownJobError) Error() string { return fmt.Sprintf("no job '%s' in the pipeline", e.ID) }

func (r *run) startEvent() runlog.Event {
	f := r.Facts
	ev := runlog.Event{
		Event: runlog.RunStart, Version: runlog.Version,
		Run: f.ID, Repo: f.Repo, Ref: f.Ref, SHA: f.SHA, Pipeline: r.pipeline.File,
	}
	for _, j := range r.jobs {
		ev.Jobs = append(ev.Jobs, runlog.JobID{ID: j.spec.ID, Inputs: j.spec.Inputs})
	}
	return ev
}

// emit writes ev to events.jsonl. If that fails, the run ends: its events would be
// incomplete.
func (r *run) emit(ev runlog.Event) {
	if err := r.events.Emit(ev); err != nil {
		r.fatal(fmt.Errorf("cannot write '%s': %w", runlog.EventsFile, text.Cause(err)))
	}
}

// fatal ends the run because of err. Only the first error is reported.
func (r *run) fatal(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.broken = err
		r.cancel(&endError{reasonInternal, err.Error()})
	}
}

func (r *run) brokenBy() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

// finish returns the outcome of the run, and writes it to events.jsonl.
func (r *run) finish(ctx context.Context) (Outcome, error) {
	out := Outcome{State: runlog.Complete}
	for _, j := range r.jobs {
		o := j.outcome
		out.Jobs = append(out.Jobs, o)
		ended := o.Reason == reasonCancelled || o.Reason == reasonTimeout
		if o.State == runlog.Failed && !o.Allowed || o.State == runlog.Skipped && ended {
			out.State = runlog.Failed
		}
	}
	if r.timedOut { // OnTimeout has recorded it, even if every job succeeded
		out.State = runlog.Failed
	}
	if out.State == runlog.Failed {
		out.Reason, out.Code = reasonExit, 1
		if reason := endReason(context.Cause(ctx)); ctx.Err() != nil && reason != reasonFailFast {
			out.Reason, out.Code = reason, 0
		}
	}
	if r.brokenBy() != nil {
		out.State, out.Reason, out.Code = runlog.Failed, reasonInternal, 0
	}
	r.emit(runlog.Event{Event: runlog.RunEnd, State: out.State, Reason: out.Reason, Code: out.Code})
	var err error
	if !r.temporary {
		err = r.events.Sync()
	}
	if err := errors.Join(err, r.events.Close()); err != nil {
		r.fatal(fmt.Errorf("cannot write '%s': %w", runlog.EventsFile, text.Cause(err)))
	}
	if err = r.brokenBy(); err != nil {
		out.State, out.Reason, out.Code = runlog.Failed, reasonInternal, 0
		err = errors.New(r.redact.String(err.Error()))
	}
	return out, err
}
