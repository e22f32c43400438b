package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"quire/lib/cli"
	"quire/lib/diag"
	host "quire/lib/drive"
	"quire/lib/hook"
	"quire/lib/push"
	"quire/lib/trigger"
)

// beforePush is for a pre-receive hook: it runs the pipelines of the gated refs in the lines
// on stdin. Git accepts the push only if the exit code is OK. The last line on stderr says
// why not.
func beforePush(ctx context.Context, e *cli.Env, o options) error {
	ctx = trigger.WithPusher(e.CatchSignals(ctx), os.Stderr)
	if o.chained != "" {
		status, lines, err := hook.RunChained(o.chained, e.Stdin, e.Stdout, e.Stderr)
		if err != nil || status != 0 {
			return cli.Status(max(status, e.Report(err)), nil)
		}
		e.Stdin = bytes.NewReader(lines)
	}
	err := passGate(ctx, e, o)
	if list := (diag.List)(nil); errors.As(err, &list) {
		e.Report(list)
		err = errors.New("the configuration cannot be read")
	}
	if err == nil {
		return nil
	}
	return cli.Status(cli.No, fmt.Errorf("the push is refused: %w", err))
}

// passGate returns nil if git may move all refs, otherwise why not.
func passGate(ctx context.Context, e *cli.Env, o options) error {
	repo, err := o.repository(e)
	if err != nil {
		return err
	}
	updates, err := trigger.ReadUpdates(e.Stdin)
	if err != nil {
		return err
	}
	t := o.trigger(e, repo)
	t.Origin = push.ByGate
	g, err := t.Gate(ctx, updates)
	defer g.Release()
	if len(g.Runs) == 0 {
		return err
	}
	e.Report(err)
	refused := report(e, g.Runs) != cli.OK || err != nil
	var tasks []host.Task
	for _, r := range g.Runs {
		if r.Executor == "" {
			continue
		}
		task, err := host.NewTask(r.Run, r.Executor)
		if err != nil {
			return err
		}
		tasks = append(tasks, task)
	}
	if !refused {
		err = host.Gate(ctx, g.Store, tasks, host.Limits(g.Config), e.Stderr)
		if context.Cause(ctx) == trigger.ErrNoPusher {
			e.Stderr = io.Discard // a write might never return
		}
		e.Report(err)
	}
	return host.Refusal(ctx, g.Store, g.All())
}
