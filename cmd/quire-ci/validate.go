package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/pipeline"
)

const validateUsage = "usage: quire-ci validate [--workspace DIR]\n"

// validate checks the pipeline of a workspace and prints its jobs in the order of
// the graph: the id, a tab, and the inputs with spaces between.
func validate(ctx context.Context, e *cli.Env) error {
	p, err := loadWorkspace(ctx, e, validateUsage)
	if err != nil {
		return err
	}
	defer p.Close()
	var out strings.Builder
	for _, j := range p.Jobs {
		fmt.Fprintf(&out, "%s\t%s\n", j.ID, strings.Join(j.Inputs, " "))
	}
	return write(e, out.String())
}

// loadWorkspace parses the option --workspace and returns the pipeline there,
// which is to be closed. What the pipeline prints goes to stderr.
func loadWorkspace(ctx context.Context, e *cli.Env, usage string) (*pipeline.Pipeline, error) {
	fs := new(flag.FlagSet)
	workspace := fs.String("workspace", ".", "")
	if err := e.Parse(fs, usage); err != nil {
		return nil, err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return nil, err
	}
	if _, err := os.Stat(*workspace); err != nil { // or else it would only lack a pipeline
		return nil, fmt.Errorf("cannot read workspace '%s': %w", *workspace, errors.Unwrap(err))
	}
	p, err := pipeline.Load(ctx, os.DirFS(*workspace), pipeline.Options{
		Log: func(line string) { fmt.Fprintln(e.Stderr, line) },
	})
	if errors.Is(err, pipeline.ErrNone) || errors.As(err, new(diag.List)) {
		return nil, cli.Status(cli.No, err)
	}
	return p, err
}

// write prints to stdout.
func write(e *cli.Env, s string) error {
	if _, err := e.Stdout.Write([]byte(s)); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	return nil
}
