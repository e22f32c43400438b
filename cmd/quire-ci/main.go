// Quire-ci validates, compiles and runs the pipeline of a workspace.
package main

import (
	"context"
	"flag"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-ci SUBCOMMAND [OPTION...] [OPERAND...]
`

// rootUsage and workspaceUsage explain options that several subcommands have.
const (
	rootUsage = `  --root DIR             the root; default $QUIRE_ROOT, else git config
                         quire.root, else /var/quire
`
	workspaceUsage = `  --workspace DIR        the directory of the pipeline; default .
`
)

func main() {
	os.Exit(cli.Main("quire-ci", os.Args[1:], func(ctx context.Context, e *cli.Env) error {
		return e.Commands(ctx, new(flag.FlagSet), usage, []cli.Command{
			{Name: "init", Summary: "write a pipeline to begin with", Run: initialize},
			{Name: "validate", Summary: "check the pipeline, print its jobs", Run: validate},
			{Name: "run", Summary: "run the pipeline", Run: run},
			{Name: "shell", Summary: "start a shell or a command as in a job", Run: shell},
			{Name: "compile", Summary: "print the Lua that a file compiles to", Run: compile},
			{Name: "graph", Summary: "print the job graph in DOT", Run: graph},
			{Name: "launch", Summary: "internal: run the pipeline of a recorded run", Run: launch},
			{Name: "seccomp", Summary: "internal: print the system call filter", Run: seccomp},
		})
	}))
}
