package main

import (
	"errors"

	"quire/lib/cli"
	"quire/lib/push"
	"quire/lib/repos"
)

// options are the options of the command line.
type options struct {
	root, gitDir, ref, run, rerun string
	chained, name, word, job      string
	vars                          map[string]string
	missed, failed, gate          bool
	install, uninstall            bool
}

// addVar parses one --var.
func (o *options) addVar(assignment string) error {
	name, value, err := push.ParseVar(assignment)
	if o.vars == nil {
		o.vars = map[string]string{}
	}
	o.vars[name] = value
	return err
}

// notEmpty returns a function that sets an option to a text. An empty text is an error:
// otherwise a script whose variable is empty would select another action.
func notEmpty(option *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("empty")
		}
		*option = s
		return nil
	}
}

// check refuses options that do not go together. modes is the number of options given
// that select an action.
func (o options) check(modes int) error {
	if o.gate && modes > 0 && !o.install && !o.uninstall {
		return cli.Usagef("--gate goes with the lines of a push, --install-hook or --uninstall-hook")
	}
	if modes > 1 {
		return cli.Usagef("--ref, --run, --rerun, --missed and the options of the hook exclude each other")
	}
	if o.chained != "" && modes > 0 {
		return cli.Usagef("--chained goes with the lines of a push")
	}
	if (o.word != "" || o.vars != nil) && o.ref == "" {
		return cli.Usagef("--var and --trigger go with --ref")
	}
	if (o.failed || o.job != "") && o.rerun == "" {
		return cli.Usagef("--failed and --job go with --rerun")
	}
	if o.failed && o.job != "" {
		return cli.Usagef("--failed and --job exclude each other")
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
