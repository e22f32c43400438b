// Quire-trigger turns post-receive lines into run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-trigger [--root DIR] [--git-dir DIR] [COMMAND [ARG...]]
       quire-trigger [--root DIR] [--git-dir DIR] --ref REF [COMMAND [ARG...]]
       quire-trigger [--root DIR] [--git-dir DIR] --missed [COMMAND [ARG...]]
       quire-trigger [--root DIR] --rerun ID [--failed] [COMMAND [ARG...]]
       quire-trigger [--root DIR] --run ID
       quire-trigger [--git-dir DIR] --install-hook | --uninstall-hook
Prints run lines; with a COMMAND turns into that, if there are any, and has it read them.
`

// An action is what one of the options asks for.
type action func(context.Context, *cli.Env, options) error

// options are those of the command line.
type options struct {
	root, gitDir, ref, run, rerun string
	missed, failed                bool
	install, uninstall            bool
}

func main() { os.Exit(cli.Main("quire-trigger", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	var o options
	fs := new(flag.FlagSet)
	fs.StringVar(&o.root, "root", "", "")
	fs.StringVar(&o.gitDir, "git-dir", "", "")
	fs.StringVar(&o.ref, "ref", "", "")
	fs.StringVar(&o.run, "run", "", "")
	fs.StringVar(&o.rerun, "rerun", "", "")
	fs.BoolVar(&o.failed, "failed", false, "")
	fs.BoolVar(&o.missed, "missed", false, "")
	fs.BoolVar(&o.install, "install-hook", false, "")
	fs.BoolVar(&o.uninstall, "uninstall-hook", false, "")
	if err := e.Parse(fs, usage); err != nil {
		return err
	}
	do, modes := chained(push), 0
	for _, mode := range []struct {
		asked bool
		do    action
	}{
		{o.ref != "", chained(byHand)}, {o.rerun != "", chained(rerun)}, {o.missed, chained(missed)},
		{o.run != "", alone(drive)}, {o.install, alone(installHook)}, {o.uninstall, alone(uninstallHook)},
	} {
		if mode.asked {
			do = mode.do
			modes++
		}
	}
	if modes > 1 {
		return cli.Usagef("--ref, --run, --rerun, --missed and those of the hook exclude each other")
	}
	if o.failed && o.rerun == "" {
		return cli.Usagef("--failed goes with --rerun")
	}
	return do(ctx, e, o)
}
