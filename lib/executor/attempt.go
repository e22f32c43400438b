package executor

import (
	"context"
	"fmt"
	"io"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/runlog"
)

// An attempt is one call of a job's run-fn. While Lua runs, only the holder of the Lua lock
// uses its fields, because a run-fn can pass its primitives to another job.
type attempt struct {
	run *run
	job *job
	ctx context.Context

	ran       int        // number of commands
	unchecked []*command // failed commands whose exit status the pipeline must read
	failed    *failure   // it is final
	ended     bool       // quire ended a command together with the job
	live      []*liveCommand
	done      bool // the run-fn has returned or raised an error
}

// call calls the run-fn and returns its output, or why it failed.
func (a *attempt) call() (value, *failure) {
	var out value
	var convErr error
	body := a.run.vm().State().NewFunction(func(l *lua.LState) int {
		defer func() {
			a.done = true
			if a.failed == nil {
				a.failed = a.firstUnchecked()
			}
		}()
		l.Push(a.job.spec.Fn)
		l.Push(a.primitives())
		l.Call(1, 1)
		out, convErr = toData(l.Get(-1))
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
	case convErr != nil:
		return nil, &failure{reason: reasonError, text: fmt.Sprintf("%sthe output of job '%s' %s", a.job.position(), a.job.spec.ID, convErr)}
	}
	return out, nil
}

// finish ends the background processes of the attempt's commands.
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

// execute runs c. The caller must finish the command, even after an error. The error is
// quire's own, never the command's.
func (a *attempt) execute(c *command) (*liveCommand, error) {
	id := a.job.spec.ID
	log, err := a.run.createLog(id, c.n)
	if err != nil {
		return nil, fmt.Errorf("cannot create log of job '%s': %w", id, err)
	}
	ev := runlog.Event{
		Event: runlog.ShStart, Sh: c.n, Cmd: c.redacted, Cwd: a.run.redact.String(c.cwd),
		File: c.position.file, Line: c.position.line, Log: runlog.LogPath(id, c.n),
	}
	if !c.shell {
		ev.Argv = a.run.redact.Strings(c.argv)
	}
	a.job.emit(ev)
	a.run.console.command(id, c.redacted)

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
	a.job.emit(runlog.Event{
		Event: runlog.ShEnd, Sh: c.n, Exit: &c.code, Signal: c.signal, Reason: c.reason, Truncated: c.truncated,
	})
	return r, r.leave()
}
