package executor

import (
	"context"
	"fmt"
	"time"

	"quire/lib/pipeline"
	"quire/lib/runlog"
)

// A job is a job of a run. While it runs, only its goroutine uses its fields, except phase.
// Before and after, only the scheduler does.
type job struct {
	run       *run
	spec      *pipeline.Job
	workspace *workspace
	env       []string
	needs     map[string]bool // its inputs, direct or not
	needed    bool            // other jobs need it

	again   bool // it runs although Done has it
	leftOut bool // it is neither the job Again, nor needed by it, nor needs it
	broken  bool // it is skipped because a job that it needs failed, directly or not

	phase    phase
	commands int   // in all attempts
	output   value // of a complete job
	outcome  JobOutcome

	artifacts uint64 // bytes, as counted for the run
}

// A phase is the state of a job in the scheduler.
type phase int

const (
	waiting phase = iota
	running
	ended
)

// A JobOutcome is how a job ended.
type JobOutcome struct {
	ID        string
	State     string // runlog.Complete, Failed or Skipped
	Reason    string // see quire-events(5)
	Code      int    // of the command that failed
	Error     string // redacted, with the position in the pipeline if it is known
	Allowed   bool   // it failed, and its failure is allowed
	Attempts  int    // 0 if it was not started
	Artifacts int    // number of files
	Started   time.Time
	Finished  time.Time
}

// position returns the line of the pipeline that registers the job.
func (j *job) position() position { return position{j.spec.File, j.spec.Line} }

// failed reports whether the job, or one that it needs, failed and was not allowed to.
func (j *job) failed() bool {
	return j.broken || j.outcome.State == runlog.Failed && !j.outcome.Allowed
}

// satisfies reports whether jobs that need j may run. j has ended.
func (j *job) satisfies() bool {
	o := j.outcome
	return o.State == runlog.Complete || o.Allowed || o.State == runlog.Skipped && o.Reason == reasonEmpty
}

// execute runs the job until it succeeds or is out of attempts.
func (j *job) execute(ctx context.Context) {
	o := &j.outcome
	o.Started = time.Now()
	j.emit(runlog.Event{Event: runlog.JobStart})
	if err := j.makeInputs(); err != nil {
		j.run.fatal(err)
	}
	for {
		o.Attempts++
		out, ran, f := j.attempt(ctx)
		switch {
		case f == nil && out == nil && ran == 0:
			j.end(runlog.Skipped, &failure{reason: reasonEmpty})
		case f == nil:
			j.output = out
			j.end(runlog.Complete, &failure{})
		case o.Attempts > j.spec.Options.Retry || ctx.Err() != nil:
			o.Allowed = j.spec.Options.AllowFailure
			j.end(runlog.Failed, f)
		default:
			text := j.run.redact.String(f.text)
			j.emit(runlog.Event{Event: runlog.JobRetry, Attempt: o.Attempts, Reason: f.reason, Code: f.code, Error: text})
			j.run.console.say(j.spec.ID, fmt.Sprintf("attempt %d failed: %s", o.Attempts, text))
			continue
		}
		return
	}
}

// attempt runs the job once. It returns the output and the number of commands.
func (j *job) attempt(ctx context.Context) (value, int, *failure) {
	if t := j.spec.Options.Timeout; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t, tooLong("the job", t))
		defer cancel()
	}
	if j.spec.Mirror != nil {
		out, f := j.mirror(ctx)
		return out, 1, f
	}
	if err := j.makeArtifacts(); err != nil {
		j.run.fatal(err)
		return nil, 0, &failure{reason: reasonInternal, text: err.Error()}
	}
	if j.spec.Options.OwnWorkspace {
		err := j.makeOwn(ctx)
		defer j.removeOwn()
		if err != nil && ctx.Err() != nil {
			return nil, 0, endFailure(context.Cause(ctx))
		}
		if err != nil {
			err = fmt.Errorf("cannot copy the workspace for job '%s': %w", j.spec.ID, err)
			j.run.fatal(err)
			return nil, 0, &failure{reason: reasonInternal, text: err.Error()}
		}
	}
	a := &attempt{run: j.run, job: j, ctx: ctx}
	out, f := a.call()
	if bad := j.collectArtifacts(); f == nil {
		f = bad
	} else if bad != nil {
		j.say("quire: warning: " + bad.text)
	}
	return out, a.ran, f
}

// end sets how the job ended and writes it to events.jsonl.
func (j *job) end(state string, f *failure) {
	o := &j.outcome
	o.ID, o.State, o.Reason, o.Code = j.spec.ID, state, f.reason, f.code
	o.Error = j.run.redact.String(f.text)
	o.Finished = time.Now()
	ev := runlog.Event{
		Event: runlog.JobEnd, State: state, Reason: o.Reason, Code: o.Code, Error: o.Error, Allowed: o.Allowed,
	}
	if j.output != nil {
		if err := j.run.writeOutput(&ev, o.ID, j.output); err != nil {
			j.run.fatal(fmt.Errorf("cannot record output of job '%s': %w", o.ID, err))
		}
	}
	if !j.needed {
		j.output = nil // it may be large
	}
	j.emit(ev)
	j.run.console.ended(*o)
}

func (j *job) emit(ev runlog.Event) {
	ev.Job = j.spec.ID
	j.run.emit(ev)
}
