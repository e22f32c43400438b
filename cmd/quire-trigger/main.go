// Quire-trigger turns post-receive lines into run records.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-trigger [--root DIR] [--git-dir DIR]
       quire-trigger [--root DIR] [--git-dir DIR] --ref REF
       quire-trigger [--root DIR] --run ID
`

// options are those of the command line.
type options struct {
	root, gitDir, ref, run string
}

func main() {
	os.Exit(cli.Main("quire-trigger", os.Args[1:], func(ctx context.Context, e *cli.Env) error {
		fs := new(flag.FlagSet)
		var o options
		fs.StringVar(&o.root, "root", "", "")
		fs.StringVar(&o.gitDir, "git-dir", "", "")
		fs.StringVar(&o.ref, "ref", "", "")
		fs.StringVar(&o.run, "run", "", "")
		if err := e.Parse(fs, usage); err != nil {
			return err
		}
		if err := e.Operands(0, 0, ""); err != nil {
			return err
		}
		if o.run != "" {
			if o.ref != "" {
				return cli.Usagef("--run and --ref exclude each other")
			}
			return drive(ctx, e, o)
		}
		return push(ctx, e, o)
	}))
}
