// Quire-trigger turns post-receive lines into run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
	"quire/lib/push"
)

const usage = `usage: quire-trigger [OPTION...] [COMMAND [ARG...]]
Records pending runs and prints their run lines. With a COMMAND it becomes
COMMAND, which reads the run lines; without run lines COMMAND is not started.

After a push it reads lines "OLD NEW REF", as a post-receive hook gets them.
  --git-dir DIR          the repository; default $GIT_DIR
  --root DIR             the root; default $QUIRE_ROOT, else quire(7) says
  --chained HOOK         run HOOK first, with the same lines
By hand:
  --ref REF              make a run of what REF points at
  --var NAME=VALUE       with --ref, a variable for all jobs; may be repeated
  --trigger WORD         with --ref, the trigger of the run; default hand
What was missed:
  --missed               make the runs that pushes should have made and did not
Again:
  --rerun ID             make a new run of the commit of the ended run ID
  --failed               with --rerun, run only jobs that did not succeed
Drive a run with the executor host:
  --run ID               drive the pending run ID to its end in this process
The hook of a repository:
  --install-hook         make quire its post-receive hook, link it in the root
  --name NAME            with --install-hook, its name, such as team/app.git
  --uninstall-hook       undo --install-hook
`

// An action is what one of the options asks for.
type action func(context.Context, *cli.Env, options) error

func main() { os.Exit(cli.Main("quire-trigger", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	var o options
	fs := new(flag.FlagSet)
	fs.StringVar(&o.root, "root", "", "")
	fs.StringVar(&o.gitDir, "git-dir", "", "")
	fs.StringVar(&o.chained, "chained", "", "")
	fs.StringVar(&o.name, "name", "", "")
	fs.StringVar(&o.ref, "ref", "", "")
	fs.Func("var", "", o.addVar)
	fs.Func("trigger", "", func(word string) error { o.word = word; return push.CheckTrigger(word) })
	fs.StringVar(&o.run, "run", "", "")
	fs.StringVar(&o.rerun, "rerun", "", "")
	fs.BoolVar(&o.failed, "failed", false, "")
	fs.BoolVar(&o.missed, "missed", false, "")
	fs.BoolVar(&o.install, "install-hook", false, "")
	fs.BoolVar(&o.uninstall, "uninstall-hook", false, "")
	if err := e.Parse(fs, usage); err != nil {
		return err
	}
	do, modes := asHook(afterPush), 0
	for _, mode := range []struct {
		asked bool
		do    action
	}{
		{o.ref != "", withCommand(byHand)}, {o.rerun != "", withCommand(rerun)}, {o.missed, withCommand(missed)},
		{o.run != "", noOperands(drive)}, {o.install, noOperands(installHook)}, {o.uninstall, noOperands(uninstallHook)},
	} {
		if mode.asked {
			do = mode.do
			modes++
		}
	}
	if err := o.check(modes); err != nil {
		return err
	}
	return do(ctx, e, o)
}
