// Quire-ci validates, compiles and runs the pipeline of a workspace.
package main

import (
	"context"
	"os"

	"quire/lib/cli"
)

const usage = `usage: quire-ci validate [--workspace DIR]
       quire-ci run [OPTION...]
       quire-ci shell [OPTION...]
       quire-ci compile [--strict | --no-strict] [FILE]
       quire-ci graph [--workspace DIR]
       quire-ci launch [--root DIR] ID
`

func main() {
	os.Exit(cli.Main("quire-ci", os.Args[1:], func(ctx context.Context, e *cli.Env) error {
		return e.Commands(ctx, usage, map[string]cli.Func{
			"validate": validate,
			"run":      run,
			"compile":  compile,
			"graph":    graph,
			"shell":    shell,
			"launch":   launch,
		})
	}))
}
