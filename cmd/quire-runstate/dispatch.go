package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"quire/lib/cli"
	"quire/lib/drive"
	"quire/lib/runstore"
)

const dispatchUsage = `usage: quire-runstate dispatch
Drives the runs on standard input, run lines, side by side up to max-runs. Those
that wait keep their places in the order of ids. It is part of quire-dispatch.
` + rootUsage

func (r *rootOption) dispatch(ctx context.Context, e *cli.Env) error {
	s, err := r.begin(e, r.flags(), dispatchUsage, 0, 0, "")
	if err != nil {
		return err
	}
	text, err := io.ReadAll(e.Stdin)
	if err != nil {
		return err
	}
	var tasks []drive.Task
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) < 2 || !runstore.IsID(fields[0]) {
			e.Report(cli.Status(cli.Misuse, fmt.Errorf("not a run line: '%s'", strings.TrimSuffix(line, "\n"))))
			continue
		}
		run, err := s.Find(fields[0])
		if err != nil {
			e.Report(err)
			continue
		}
		var cmd *exec.Cmd
		switch fields[1] {
		case "host":
			cmd = exec.Command("quire-trigger", "--run", run.ID)
		case "quire-ci":
			cmd = exec.Command("quire-runstate", "exec", run.ID, "--", "quire-dispatch", "--step")
		default:
			e.Report(fmt.Errorf("unknown executor '%s' of run '%s'", fields[1], run.ID))
			continue
		}
		tasks = append(tasks, drive.Task{Run: run, Drive: cmd.Run})
	}
	set, err := loadSettings(ctx, s)
	if err != nil {
		e.Report(err) // each driver says so, too, and its run stays pending
	}
	return drive.Dispatch(s, tasks, drive.Limits(set.config))
}
