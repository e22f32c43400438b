package main

import (
	"context"
	"fmt"

	"quire/lib/cli"
	"quire/lib/doctor"
	"quire/lib/text"
)

const doctorUsage = `usage: quire-runstate doctor [-v] [GIT-DIR...]
Checks all that quire depends on, and prints what is wrong, one finding a line:
"wrong", the thing checked, what is wrong with it, and a shell command or a
comment that repairs it, separated by tabs. Without a GIT-DIR it checks the
repositories below repos/ in the root.
  -v                     also print what is in order: "ok" and the thing checked
` + rootUsage

func (r *rootOption) doctor(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	verbose := fs.Bool("v", false, "")
	if err := e.Parse(fs, doctorUsage); err != nil {
		return err
	}
	if err := e.Operands(0, -1, "GIT-DIR"); err != nil {
		return err
	}
	program, err := e.Program()
	if err != nil {
		return err
	}
	code := cli.OK
	for _, f := range doctor.Examine(e.CatchSignals(ctx), doctor.Installation{
		Root: r.root(e), GitDirs: e.Args, Program: program, Path: e.Getenv("PATH"),
	}) {
		line := "ok\t" + text.Escape(f.Subject)
		if f.Wrong != "" {
			// The repair is printable unchanged, so that people can run it.
			line = fmt.Sprintf("wrong\t%s\t%s\t%s", text.Escape(f.Subject), text.Escape(f.Wrong), f.Repair)
			code = cli.No
		} else if !*verbose {
			continue
		}
		if _, err := fmt.Fprintln(e.Stdout, line); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Canceled
	}
	return status(code)
}
