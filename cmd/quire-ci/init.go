package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/file"
	"quire/lib/pipeline"
	"quire/lib/text"
)

const initUsage = `usage: quire-ci init [--lua] [--workspace DIR]
Writes .quire/ci.fnl with a build and a test job that fit the project.
  --lua                  write .quire/ci.lua instead
` + workspaceUsage

// initialize writes a first pipeline, and prints the next steps.
func initialize(_ context.Context, e *cli.Env) error {
	fset := new(flag.FlagSet)
	workspace := fset.String("workspace", ".", "")
	lua := fset.Bool("lua", false, "")
	if err := e.Parse(fset, initUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	starter := pipeline.NewStarter(os.DirFS(*workspace))
	name, content := "ci.fnl", starter.Fennel()
	if *lua {
		name, content = "ci.lua", starter.Lua()
	}
	dir := filepath.Join(*workspace, ".quire")
	if info, err := os.Lstat(dir); err == nil && info.Mode().Type() == fs.ModeSymlink { // a push ignores it
		return fmt.Errorf("'%s' is a symbolic link, and must be a directory", dir)
	}
	for _, existing := range []string{"ci.fnl", "ci.lua"} {
		if _, err := os.Lstat(filepath.Join(dir, existing)); err == nil {
			return cli.Status(cli.No, fmt.Errorf("'%s' exists already", filepath.Join(dir, existing)))
		}
	}
	err := os.Mkdir(dir, 0o777)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = writeNew(filepath.Join(dir, name), content)
	}
	if err != nil {
		return fmt.Errorf("cannot write '%s': %w", filepath.Join(dir, name), text.Cause(err))
	}
	_, err = fmt.Fprintf(e.Stdout, `wrote %s, for %s. Next:
  quire-ci validate    check it
  quire-ci run         run it here
  git add .quire && git commit -m 'Add CI' && git push
`, filepath.Join(dir, name), starter.Kind)
	return err
}

// writeNew writes a file that does not exist yet.
func writeNew(name, content string) error {
	f, err := file.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}
