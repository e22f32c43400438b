// Quire-trigger turns post-receive lines into run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
	"quire/lib/push"
)

// An action implements one of the options.
type action func(context.Context, *cli.Env, options) error

func main() { os.Exit(cli.Main("quire-trigger", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	var o options
	fs := new(flag.FlagSet)
	fs.StringVar(&o.root, "root", "", "")
	fs.StringVar(&o.gitDir, "git-dir", "", "")
	fs.StringVar(&o.chained, "chained", "", "")
	fs.Func("name", "", notEmpty(&o.name))
	fs.Func("ref", "", notEmpty(&o.ref))
	fs.Func("var", "", o.addVar)
	fs.Func("trigger", "", func(word string) error { o.word = word; return push.CheckTrigger(word) })
	fs.Func("run", "", notEmpty(&o.run))
	fs.Func("rerun", "", notEmpty(&o.rerun))
	fs.Func("job", "", notEmpty(&o.job))
	fs.BoolVar(&o.failed, "failed", false, "")
	fs.BoolVar(&o.missed, "missed", false, "")
	fs.BoolVar(&o.gate, "gate", false, "")
	fs.BoolVar(&o.install, "install-hook", false, "")
	fs.BoolVar(&o.uninstall, "uninstall-hook", false, "")
	if err := e.Parse(fs, usage); err != nil {
		return err
	}
	do, modes := inPostReceive(afterPush), 0
	if o.gate {
		do = noOperands(beforePush)
	}
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
