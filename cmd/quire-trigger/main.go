// Quire-trigger turns post-receive lines into run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
	"quire/lib/git"
)

const usage = `usage: quire-trigger [--root DIR] [--git-dir DIR]
       quire-trigger [--root DIR] [--git-dir DIR] --ref REF
       quire-trigger [--root DIR] [--git-dir DIR] --missed
       quire-trigger [--root DIR] --run ID
       quire-trigger [--root DIR] --rerun ID [--failed]
       quire-trigger [--git-dir DIR] --install-hook | --uninstall-hook
`

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
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	do, modes := push, 0
	for _, mode := range []struct {
		asked bool
		do    func(context.Context, *cli.Env, options) error
	}{
		{o.ref != "", byHand}, {o.run != "", drive}, {o.rerun != "", rerun}, {o.missed, missed},
		{o.install, installHook}, {o.uninstall, uninstallHook},
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

// repository opens the repository that --git-dir, or else GIT_DIR, names.
func (o options) repository(e *cli.Env) (*git.Repo, error) {
	dir := o.gitDir
	if dir == "" {
		dir = e.Getenv("GIT_DIR")
	}
	if dir == "" {
		return nil, cli.Usagef("no repository: neither --git-dir nor GIT_DIR is given")
	}
	return git.Open(dir)
}
