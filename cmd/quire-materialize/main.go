// Quire-materialize writes the tree of a commit into a directory.
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"quire/lib/cli"
	"quire/lib/git"
	"quire/lib/workspace"
)

const usage = `usage: quire-materialize [OPTION...] COMMIT DIRECTORY
       quire-materialize [--root DIR] --run ID
Writes the tree of COMMIT into DIRECTORY, which must be empty or absent; or the
commit of a run into its workspace, as the configuration says.
  --git-dir DIR          the repository; default $GIT_DIR, else .
  --reuse                change what DIRECTORY holds into the tree of COMMIT
  --keep-ignored         with --reuse, leave files that Git ignores
  --lfs                  write the files of Git LFS instead of their pointers
  --with-git             add a .git that borrows the objects of the repository
  --submodules           write submodules, from repositories on this machine
  --run ID               the run whose workspace is written
  --root DIR             the root; default $QUIRE_ROOT, else git config
                         quire.root, else /var/quire
`

func main() {
	os.Exit(cli.Main("quire-materialize", os.Args[1:], run))
}

func run(ctx context.Context, e *cli.Env) error {
	var o workspace.Options
	flags := new(flag.FlagSet)
	gitDir := flags.String("git-dir", "", "")
	flags.BoolVar(&o.Reuse, "reuse", false, "")
	flags.BoolVar(&o.KeepIgnored, "keep-ignored", false, "")
	flags.BoolVar(&o.LFS, "lfs", false, "")
	flags.BoolVar(&o.WithGit, "with-git", false, "")
	flags.BoolVar(&o.Submodules, "submodules", false, "")
	id := flags.String("run", "", "")
	root := flags.String("root", "", "")
	if err := e.Parse(flags, usage); err != nil {
		return err
	}
	ctx = e.CatchSignals(ctx) // from here on a signal makes the command remove its files
	if *id != "" {
		return ofRun(ctx, e, flags, *root, *id)
	}
	if err := e.Operands(2, 2, "COMMIT DIRECTORY"); err != nil {
		return err
	}
	if o.KeepIgnored && !o.Reuse {
		return cli.Usagef("option '--keep-ignored' needs '--reuse'")
	}
	if *gitDir == "" {
		*gitDir = e.Getenv("GIT_DIR")
	}
	if *gitDir == "" {
		*gitDir = "."
	}
	repo, err := git.Open(*gitDir)
	if err != nil {
		return err
	}
	o.KeepIndex = true // so that the first --reuse is quick, too
	o.Left = func(_ string, err error) { e.Warn("what was there cannot be removed: %v", err) }
	err = workspace.Materialize(ctx, repo, e.Args[0], e.Args[1], o)
	if errors.Is(err, workspace.ErrUnknownCommit) {
		return cli.Status(cli.No, err)
	}
	return err
}
