// Quire-runstate creates, changes, shows and drives run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-runstate [--root DIR] SUBCOMMAND [OPTION...] [OPERAND...]
` + rootUsage

// rootUsage explains the option that all subcommands have.
const rootUsage = `  --root DIR             the root; default $QUIRE_ROOT, else git config
                         quire.root, else /var/quire
`

func main() { os.Exit(cli.Main("quire-runstate", os.Args[1:], run)) }

func run(ctx context.Context, e *cli.Env) error {
	var root rootOption
	return answerNo(e.Commands(ctx, root.flags(), usage, []cli.Command{
		{Name: "create", Summary: "record a pending run, print its run line", Run: root.create},
		{Name: "transition", Summary: "change the state of a run", Run: root.transition},
		{Name: "exec", Summary: "drive a run with a command", Run: root.exec},
		{Name: "dispatch", Summary: "drive runs side by side, for quire-dispatch", Run: root.dispatch},
		{Name: "list", Summary: "list runs, newest first", Run: root.list},
		{Name: "show", Summary: "show all facts of a run", Run: root.show},
		{Name: "log", Summary: "print or follow the log of a run", Run: root.log},
		{Name: "artifacts", Summary: "list the files that jobs left", Run: root.artifacts},
		{Name: "wait", Summary: "wait until runs have ended", Run: root.wait},
		{Name: "cancel", Summary: "end runs that have not ended", Run: root.cancel},
		{Name: "reconcile", Summary: "repair the state after crashes, print runs to drive", Run: root.reconcile},
		{Name: "pause", Summary: "keep further runs from beginning", Run: root.pause},
		{Name: "resume", Summary: "let runs begin again", Run: root.resume},
		{Name: "notify", Summary: "run the programs of on-end.d for ended runs", Run: root.notify},
		{Name: "prune", Summary: "remove old runs", Run: root.prune},
		{Name: "fsck", Summary: "check the records, and repair them", Run: root.fsck},
		{Name: "doctor", Summary: "check the installation, and say how to repair it", Run: root.doctor},
	}))
}

// rootOption is the option --root, which may come before or after the subcommand.
type rootOption struct{ dir string }

func (r *rootOption) flags() *flag.FlagSet {
	fs := new(flag.FlagSet)
	fs.StringVar(&r.dir, "root", r.dir, "")
	return fs
}
