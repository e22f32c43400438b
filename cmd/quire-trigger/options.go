package main

import (
	"quire/lib/cli"
	"quire/lib/repos"
)

// options are the options of the command line.
type options struct {
	root, gitDir, ref, run, rerun string
	chained, name                 string
	missed, failed                bool
	install, uninstall            bool
}

// check refuses options that do not go together. modes is how many of them say what is to
// be done.
func (o options) check(modes int) error {
	if modes > 1 {
		return cli.Usagef("--ref, --run, --rerun, --missed and those of the hook exclude each other")
	}
	if o.chained != "" && modes > 0 {
		return cli.Usagef("--chained goes with the lines of a push")
	}
	if o.failed && o.rerun == "" {
		return cli.Usagef("--failed goes with --rerun")
	}
	if o.name == "" {
		return nil
	}
	if !o.install {
		return cli.Usagef("--name goes with --install-hook")
	}
	if err := repos.Check(o.name); err != nil {
		return cli.Usagef("--name %v", err)
	}
	return nil
}
