package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quire/lib/file"
	"quire/lib/pipeline"
	"quire/lib/runlog"
)

// schedule runs the jobs and returns when all have ended. A job can start once its inputs
// have ended. Of several such jobs, the first in the order of the graph starts first, so a
// run with one job at a time follows that order.
func (r *run) schedule(ctx context.Context) {
	alwaysCtx, stop := r.limit(ctx)
	defer stop()
	done := make(chan *job)
	for busy := 0; ; busy-- {
		for _, j := range r.jobs {
			if busy >= r.Parallel {
				break
			}
			if j.phase != waiting || !r.inputsEnded(j) {
				continue
			}
			if r.skipOrReuse(ctx, j) {
				j.phase = ended
				continue
			}
			j.phase = running
			busy++
			r.console.started(j.spec.ID)
			go func() {
				if j.spec.Options.Always {
					j.execute(alwaysCtx)
				} else {
					j.execute(ctx)
				}
				done <- j
			}()
		}
		if busy == 0 {
			return
		}
		j := <-done
		j.phase = ended
		if r.FailFast && j.outcome.State == runlog.Failed && !j.outcome.Allowed {
			r.cancel(&endError{reasonFailFast, fmt.Sprintf("job '%s' failed", j.spec.ID)})
		}
	}
}

// limit starts the grace period of the run when ctx ends. It returns the context of jobs
// with :always, which ends after half of the grace period.
func (r *run) limit(ctx context.Context) (alwaysCtx context.Context, stop func()) {
	alwaysCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	noted := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(noted)
		r.mu.Lock()
		r.deadline = time.Now().Add(r.Grace * 9 / 10)
		r.timedOut = endReason(context.Cause(ctx)) == reasonTimeout
		r.mu.Unlock()
		time.AfterFunc(r.Grace/2, func() { cancel(context.Cause(ctx)) })
		if r.timedOut && r.OnTimeout != nil {
			r.OnTimeout()
		}
	})
	return alwaysCtx, func() {
		if !unwatch() {
			<-noted
		}
		cancel(nil)
	}
}

// grace returns how long processes have between TERM and KILL. Once the run is being ended,
// all processes share one grace period, less a tenth for recording the end: the process
// that ends the run may kill quire after that period.
func (r *run) grace() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deadline.IsZero() {
		return r.Grace
	}
	return max(0, time.Until(r.deadline))
}

func (r *run) inputsEnded(j *job) bool {
	for _, in := range j.spec.Inputs {
		if input := r.byID[in]; input != nil && input.phase != ended {
			return false
		}
	}
	return true
}

// Messages for a job that is skipped by its :when, or because the push must pass the gate
// first.
const (
	whenText = "the push does not match its :when"
	gateText = "it runs after the push"
)

// skipOrReuse ends j and returns true if j must not run: it is skipped, left out, or an
// earlier run has its output. The inputs of j have ended.
func (r *run) skipOrReuse(ctx context.Context, j *job) bool {
	if output, ok := r.earlier(j); ok {
		r.reuse(j, output)
		return true
	}
	switch bad := r.badInput(j); {
	case afterGate(j.spec, r.Facts):
		j.end(runlog.Skipped, &failure{reason: reasonGate, text: gateText})
	case j.spec.Options.Always:
		return false
	case ctx.Err() != nil:
		j.end(runlog.Skipped, endFailure(context.Cause(ctx)))
	case bad != nil:
		j.broken = slices.ContainsFunc(j.spec.Inputs, func(in string) bool { return r.byID[in] != nil && r.byID[in].failed() })
		j.end(runlog.Skipped, &failure{reason: reasonInput, text: bad.skipReason()})
	case !matches(j.spec.Options.When, r.Facts):
		j.end(runlog.Skipped, &failure{reason: reasonWhen, text: whenText})
	case j.leftOut: // the run must not be complete without it
		j.outcome.Allowed = j.spec.Options.AllowFailure
		j.end(runlog.Failed, &failure{reason: reasonEarlier, text: "it was not complete in the earlier run, and did not run again"})
	default:
		return false
	}
	if j.again { // the driver may have copied its artifacts from the earlier run
		_ = file.RemoveTree(j.artifactsDir())
	}
	return true
}

// earlier returns the output of j in an earlier run, if j need not run again. A job with
// :always, such as a cleanup, runs in every run.
func (r *run) earlier(j *job) (output []byte, ok bool) {
	output, ok = r.Done[j.spec.ID]
	return output, ok && !j.spec.Options.Always && !j.again
}

// reuse ends j with the output of an earlier run.
func (r *run) reuse(j *job, output []byte) {
	if len(output) > 0 {
		var err error
		if j.output, err = decodeData(output); err != nil {
			r.fatal(fmt.Errorf("cannot reuse output of job '%s': %w", j.spec.ID, err))
		}
	}
	if bad := j.collectArtifacts(); bad != nil { // the driver has copied them
		j.run.fatal(errors.New(bad.text))
	}
	j.end(runlog.Complete, &failure{reason: reasonEarlier})
}

// badInput returns the first input that keeps j from running, nil for none. A job with
// :allow-skipped needs one input that was not skipped, and no input that failed or was
// skipped because of a failure.
func (r *run) badInput(j *job) *job {
	var skipped *job
	n := 0
	for _, in := range j.spec.Inputs {
		input := r.byID[in]
		switch {
		case in == pipeline.Push || input == nil || input.satisfies():
			continue
		case !j.spec.Options.AllowSkipped || input.failed():
			return input
		case skipped == nil:
			skipped = input
		}
		n++
	}
	if n < len(j.spec.Inputs) {
		return nil
	}
	return skipped
}

// skipReason returns why the jobs that need j are skipped.
func (j *job) skipReason() string {
	if j.outcome.State == runlog.Failed {
		return fmt.Sprintf("input '%s' failed", j.spec.ID)
	}
	return fmt.Sprintf("input '%s' was skipped", j.spec.ID)
}
