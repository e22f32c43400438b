package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/pipeline"
)

const compileUsage = `usage: quire-ci compile [--strict | --no-strict] [FILE]
Prints the Lua that a Fennel file, or standard input, compiles to.
  --strict               refuse unknown globals (the default)
  --no-strict            accept unknown globals
`

// compile prints the Lua that a Fennel file, or stdin, compiles to. It looks for macro
// modules beside the file.
func compile(ctx context.Context, e *cli.Env) error {
	options := new(flag.FlagSet)
	strict := true
	options.BoolFunc("strict", "", func(string) error { strict = true; return nil })
	options.BoolFunc("no-strict", "", func(string) error { strict = false; return nil })
	if err := e.Parse(options, compileUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 1, "FILE"); err != nil {
		return err
	}
	name, dir, text, err := source(e)
	if err != nil {
		return err
	}
	lua, err := pipeline.Compile(ctx, text, name, os.DirFS(dir).(pipeline.Files), strict)
	if errors.As(err, new(diag.List)) {
		return cli.Status(cli.No, err)
	}
	if err != nil {
		return err
	}
	return write(e, lua)
}

// source reads the operand, or stdin. dir is the directory of the text's modules.
func source(e *cli.Env) (name, dir string, text []byte, err error) {
	if len(e.Args) == 0 || e.Args[0] == "-" {
		text, err = io.ReadAll(e.Stdin)
		if err != nil {
			err = fmt.Errorf("cannot read standard input: %w", err)
		}
		return "stdin", pipeline.Dir, text, err
	}
	name = e.Args[0]
	text, err = os.ReadFile(name)
	if err != nil {
		err = fmt.Errorf("cannot read '%s': %w", name, errors.Unwrap(err))
	}
	return name, filepath.Dir(name), text, err
}
