// Quire-runstate makes, changes, shows and drives run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-runstate [--root DIR] SUBCOMMAND [OPTION...] [OPERAND...]
  create      record a pending run, print its run line
  transition  change the state of a run
  exec        drive a run with a command
  list        list runs, newest first
  show        show all there is to know of a run
  log         print or follow the log of a run
  wait        wait until runs have ended
  cancel      end runs that have not ended
  reconcile   put right what crashes left, print runs to drive
  notify      run the programs that are told of ended runs
  prune       remove old runs
  fsck        check the records, and repair them
  doctor      look at all that quire stands on, and say how to mend it
`

func main() { os.Exit(cli.Main("quire-runstate", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	var root rootOption
	if err := e.Parse(root.flags(), usage); err != nil {
		return err
	}
	return refusal(e.Commands(ctx, usage, map[string]cli.Func{
		"create":     root.create,
		"transition": root.transition,
		"exec":       root.exec,
		"list":       root.list,
		"show":       root.show,
		"log":        root.log,
		"wait":       root.wait,
		"cancel":     root.cancel,
		"reconcile":  root.reconcile,
		"notify":     root.notify,
		"prune":      root.prune,
		"fsck":       root.fsck,
		"doctor":     root.doctor,
	}))
}

// rootOption is the option --root, which may stand before or behind the subcommand.
type rootOption struct{ dir string }

func (r *rootOption) flags() *flag.FlagSet {
	fs := new(flag.FlagSet)
	fs.StringVar(&r.dir, "root", r.dir, "")
	return fs
}
