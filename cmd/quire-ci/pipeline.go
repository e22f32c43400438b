package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/file"
	"quire/lib/pipeline"
	"quire/lib/vm"
)

// A loaded pipeline can read modules of its workspace until it is closed.
type loaded struct {
	*pipeline.Pipeline
	workspace *file.Tree
}

func (l *loaded) Close() {
	l.Pipeline.Close()
	l.workspace.Close()
}

// load returns the pipeline of a workspace. It does not follow symbolic links out of the
// workspace. The pipeline's output goes to stderr. If it is missing or invalid, the error
// has the status No.
func load(ctx context.Context, e *cli.Env, workspace string, limits vm.Limits) (*loaded, error) {
	tree, err := file.OpenTree(workspace)
	if err != nil {
		return nil, fmt.Errorf("cannot read workspace '%s': %w", workspace, errors.Unwrap(err))
	}
	p, err := pipeline.Load(ctx, tree, pipeline.Options{
		Limits: limits,
		Log:    func(line string) { fmt.Fprintln(e.Stderr, line) },
	})
	if err == nil {
		return &loaded{p, tree}, nil
	}
	tree.Close()
	return nil, withStatus(err)
}

// withStatus returns the error of loading a pipeline with its exit status.
func withStatus(err error) error {
	if errors.Is(err, pipeline.ErrNone) || errors.As(err, new(diag.List)) {
		err = cli.Status(cli.No, err)
	}
	return err
}

// loadWorkspace parses the option --workspace of a command without other options, and
// returns the pipeline there.
func loadWorkspace(ctx context.Context, e *cli.Env, usage string) (*loaded, error) {
	fs := new(flag.FlagSet)
	workspace := fs.String("workspace", ".", "")
	if err := e.Parse(fs, usage); err != nil {
		return nil, err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return nil, err
	}
	return load(ctx, e, *workspace, vm.Limits{})
}
