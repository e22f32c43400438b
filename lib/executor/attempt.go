package executor

import (
	"context"
	"fmt"
	"io"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/runlog"
)

// An attempt is one call of a job's run-fn. Its fields belong to the holder of
// the Lua lock while Lua runs, since a run-fn can hand its primitives on to
// another job.
type attempt struct {
	run *run
	job *job
	ctx context.Context

	ran      int        // commands
	unlooked []*command // failed ones that the pipeline has to look at
	failed   *failure   // for good
	ended    bool       // a command was ended with the job, whatever it made of that
	live     []*liveCommand
	over     bool // the run-fn has returned, or raised an error
}

// call calls the run-fn and returns its output.
func (a *attempt) call() (value, *failure) {
	var out value
	var junk error
	body := a.run.vm().State().NewFunction(func(l *lua.LState) int {
		defer func() {
			a.over = true
			if a.failed == nil {
				a.failed = a.unseen()
			}
		}()
		l.Push(a.job.spec.Fn)
		l.Push(a.primitives())
		l.Call(1, 1)
		out, junk = plain(l.Get(-1))
		return 0
	})
	_, err := a.run.vm().Call(a.ctx, body)
	a.finish()
	switch {
	case a.failed != nil && !a.failed.ended:
		return nil, a.failed
	case a.ended, err != nil && a.ctx.Err() != nil:
		return nil, endFailure(context.Cause(a.ctx))
	case err != nil:
		return nil, luaFailure(a.ctx, err)
	case junk != nil:
		return nil, &failure{reason: reasonError, text: fmt.Sprintf("%swhat job '%s' returned %s", a.job.place(), a.job.spec.ID, junk)}
	}
	return out, nil
}

// finish ends what the commands of the attempt left running.
func (a *attempt) finish() {
	var all sync.WaitGroup
	for _, r := range a.live {
		all.Go(func() {
			if err := r.finish(a.run.grace()); err != nil {
				a.run.fatal(err)
			}
		})
	}
	all.Wait()
}

// execute runs c. The running command is to be finished, even where there is an
// error, which is quire's and not the command's.
func (a *attempt) execute(c *command) (*liveCommand, error) {
	id := a.job.spec.ID
	log, err := a.run.createLog(id, c.n)
	if err != nil {
		return nil, fmt.Errorf("cannot create log of job '%s': %w", id, err)
	}
	ev := runlog.Event{
		Event: runlog.ShStart, Sh: c.n, Cmd: c.shown, Cwd: a.run.redact.String(c.cwd),
		File: c.place.file, Line: c.place.line, Log: runlog.LogPath(id, c.n),
	}
	if !c.shell {
		ev.Argv = a.run.redact.Strings(c.argv)
	}
	a.emit(ev)
	a.run.console.command(id, c.shown)

	r, err := c.start(log, func(name string) sink {
		s := &stream{log: log.Stream(name), lines: a.run.console.lines(id)}
		s.redact = a.run.redact.Writer(io.MultiWriter(s.log, s.lines))
		return s
	})
	if err != nil {
		log.Close()
		return nil, err
	}
	if err := r.wait(a.ctx, a.run.grace); err != nil {
		return r, err
	}
	a.emit(runlog.Event{
		Event: runlog.ShEnd, Sh: c.n, Exit: &c.code, Signal: c.signal, Reason: c.reason, Truncated: c.truncated,
	})
	return r, r.leave()
}

func (a *attempt) emit(ev runlog.Event) {
	ev.Job = a.job.spec.ID
	a.run.emit(ev)
}
