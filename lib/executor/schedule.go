package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/pipeline"
	"quire/lib/process"
	"quire/lib/runlog"
)

// schedule runs the jobs and returns when each has ended. A job is looked at once
// all of its inputs have ended; of those that may run, the first in the order of
// the graph goes first, so that one at a time is just that order.
func (r *run) schedule(ctx context.Context) {
	lasting, stop := r.limit(ctx)
	defer stop()
	over := make(chan *job)
	for busy := 0; ; busy-- {
		for _, j := range r.jobs {
			if busy >= r.Parallel {
				break
			}
			if j.phase != waiting || !r.inputsEnded(j) {
				continue
			}
			if r.settle(ctx, j) {
				j.phase = ended
				continue
			}
			j.phase = running
			busy++
			r.console.started(j.spec.ID)
			go func() {
				if j.spec.Options.Always {
					j.execute(lasting)
				} else {
					j.execute(ctx)
				}
				over <- j
			}()
		}
		if busy == 0 {
			return
		}
		j := <-over
		j.phase = ended
		if r.FailFast && j.outcome.State == runlog.Failed && !j.outcome.Allowed {
			r.cancel(&endError{reasonFailFast, fmt.Sprintf("job '%s' failed", j.spec.ID)})
		}
	}
}

// limit starts the clock of the last grace when ctx ends, and returns the context of
// jobs that run whatever happened: it goes on for half of that grace.
func (r *run) limit(ctx context.Context) (lasting context.Context, stop func()) {
	lasting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
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
	return lasting, func() {
		if !unwatch() {
			<-noted
		}
		cancel(nil)
	}
}

// grace returns how long processes have between TERM and KILL. Once the run is
// being ended it is what is left of one grace for all of them, less a tenth for
// recording the end: whoever ended the run may kill quire itself after the same
// time.
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

// Why a job is skipped whose condition is not met, and one that must wait until the push
// has passed the gate.
const (
	whenText = "the push does not match its :when"
	gateText = "it runs after the push"
)

// settle ends j, whose inputs have ended, if it is not to run.
func (r *run) settle(ctx context.Context, j *job) bool {
	if output, ok := r.earlier(j); ok {
		return r.adopt(j, output)
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
		j.end(runlog.Skipped, &failure{reason: reasonInput, text: bad.unfit()})
	case !matches(j.spec.Options.When, r.Facts):
		j.end(runlog.Skipped, &failure{reason: reasonWhen, text: whenText})
	case j.leftOut: // a run must not be complete if it was not in the earlier one
		j.outcome.Allowed = j.spec.Options.AllowFailure
		j.end(runlog.Failed, &failure{reason: reasonEarlier, text: "it was not complete in the earlier run, and did not run again"})
	default:
		return false
	}
	if j.again { // the driver may have brought its artifacts along
		_ = file.RemoveTree(j.artifactsDir())
	}
	return true
}

// earlier returns the output that j left in an earlier run, if it is not to run again.
// A job that is for every run, such as cleaning up, is for this one too.
func (r *run) earlier(j *job) (output []byte, ok bool) {
	output, ok = r.Done[j.spec.ID]
	return output, ok && !j.spec.Options.Always && !j.again
}

// adopt ends j with the output of an earlier run.
func (r *run) adopt(j *job, output []byte) bool {
	if len(output) > 0 {
		var err error
		if j.output, err = decodePlain(output); err != nil {
			r.fatal(fmt.Errorf("cannot take over output of job '%s': %w", j.spec.ID, err))
		}
	}
	if bad := j.keepArtifacts(); bad != nil { // the driver has brought them along
		j.run.fatal(errors.New(bad.text))
	}
	j.end(runlog.Complete, &failure{reason: reasonEarlier})
	return true
}

// badInput returns the first input of j that did not come to what j needs. A job with
// :allow-skipped needs one input that was not skipped, and none that failed, or was skipped
// because of a failure.
func (r *run) badInput(j *job) *job {
	var skipped *job
	n := 0
	for _, in := range j.spec.Inputs {
		input := r.byID[in]
		switch {
		case in == pipeline.Push || input == nil || input.good():
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

// unfit says of j why what needs it is skipped.
func (j *job) unfit() string {
	if j.outcome.State == runlog.Failed {
		return fmt.Sprintf("input '%s' failed", j.spec.ID)
	}
	return fmt.Sprintf("input '%s' was skipped", j.spec.ID)
}

// endChildren ends the processes of the run that still run. Usually there are none, and the
// kernel tells that without a list of all processes.
func endChildren(grace time.Duration) error {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	return process.EndDescendants(grace)
}
