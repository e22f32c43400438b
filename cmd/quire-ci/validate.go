package main

import (
	"context"
	"fmt"
	"strings"

	"quire/lib/cli"
)

const validateUsage = `usage: quire-ci validate [--workspace DIR]
Checks the pipeline and prints its jobs, one a line: the id, a tab, and the
inputs with spaces between.
` + workspaceUsage

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
		out.WriteString(j.ID + "\t" + strings.Join(j.Inputs, " ") + "\n")
	}
	return write(e, out.String())
}

// write prints to stdout.
func write(e *cli.Env, s string) error {
	if _, err := e.Stdout.Write([]byte(s)); err != nil {
		return fmt.Errorf("cannot write: %w", err)
	}
	return nil
}
