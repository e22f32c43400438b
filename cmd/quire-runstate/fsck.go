package main

import (
	"context"
	"fmt"

	"quire/lib/cli"
	"quire/lib/text"
)

const fsckUsage = `usage: quire-runstate fsck [--repair]
Checks the run records, and prints what is wrong, one problem a line: "found",
"mended" or "warning", the path, and what is wrong, separated by tabs.
  --repair               repair what can be repaired
` + rootUsage

func (r *rootOption) fsck(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	repair := fs.Bool("repair", false, "")
	s, err := r.begin(e, fs, fsckUsage, 0, 0, "")
	if err != nil {
		return err
	}
	problems, err := s.Check(*repair)
	code := cli.OK
	for _, p := range problems {
		word := "mended"
		switch {
		case p.Warning:
			word = "warning"
		case !p.Mended:
			word, code = "found", cli.No
		}
		if _, err := fmt.Fprintf(e.Stdout, "%s\t%s\t%s\n", word, text.Escape(p.Path), text.Escape(p.What)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return status(code)
}
