package git

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A Checkout is a working copy of a repository with a separate index. Git writes the
// files; the repository's own index and refs do not change.
type Checkout struct {
	// LFS makes Write replace pointers of Git LFS by files, with the filter that
	// git-lfs-install(1) configures. If the filter fails, Write fails. Without LFS the
	// pointers are not replaced: the filter would fetch from the network.
	LFS bool
	// Serial makes Write write one file after the other. If Git writes several at once,
	// it may encode one with the working-tree-encoding of another (seen with 2.39), because
	// it keeps a pointer to text that it has freed.
	Serial bool

	repo  *Repo
	index string
	dir   string
}

// errNoLFS is the error of Write if a file needs Git LFS and the configuration has no
// filter for it.
var errNoLFS = errors.New("it has files of Git LFS, for which the configuration has no filter: see git-lfs-install(1)")

// Checkout returns the working copy at dir whose index is the file index, which need
// not exist. Both paths are absolute.
func (r *Repo) Checkout(index, dir string) *Checkout {
	return &Checkout{repo: r, index: index, dir: dir}
}

// settings override configuration that is meant for people's working copies. With them,
// only the commit and the attributes determine the files, the index is one file that does
// not depend on others, and Git does not enter submodules.
var settings = []string{
	"core.sparseCheckout=false", "core.splitIndex=false", "core.untrackedCache=false", "index.sparse=false",
	"index.skipHash=false", "core.symlinks=true", "core.fileMode=true", "core.checkStat=default", "core.trustctime=true",
	"core.protectHFS=true", "core.protectNTFS=true", "submodule.recurse=false",
}

// command returns git with the index and the working copy.
func (c *Checkout) command(ctx context.Context, args ...string) *exec.Cmd {
	set := slices.Clone(settings)
	switch {
	case c.LFS && c.repo.hasLFS():
		set = append(set, "filter.lfs.required=true")
	case c.LFS: // without a program, Git ignores "required"
		set = append(set, "filter.lfs.required=true", "filter.lfs.smudge=false")
	default:
		set = append(set, "filter.lfs.smudge=", "filter.lfs.process=", "filter.lfs.required=false")
	}
	set = append(set, "checkout.workers="+strconv.Itoa(c.workers()), "checkout.thresholdForParallelism=1000")
	var all []string
	for _, s := range set {
		all = append(all, "-c", s)
	}
	cmd := c.repo.command(ctx, append(all, args...)...)
	cmd.Dir = c.dir
	cmd.Env = append(cmd.Env, "GIT_INDEX_FILE="+c.index, "GIT_WORK_TREE="+c.dir)
	// If quire is killed, Git stops writing, and if Git is killed, so do its filters.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// workers returns how many processes of Git may write files. Two were slower than one with
// 100, 3,000 and 30,000 files on two processors.
func (c *Checkout) workers() int {
	if n := runtime.GOMAXPROCS(0); !c.Serial && n > 2 {
		return n
	}
	return 1
}

// output runs git and returns its output, split at NULs.
func (c *Checkout) output(ctx context.Context, stdin []byte, args ...string) ([]string, error) {
	cmd := c.command(ctx, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := runGit(ctx, cmd, args[0])
	return splitNUL(out), err
}

// Write changes the working copy to tree, an object id. A file in the index is not written
// if its stat(2) matches the index. All other files of the tree are written, and replace
// any file or directory of the same name. Files that are neither in the index nor in the
// tree stay.
func (c *Checkout) Write(ctx context.Context, tree string) error {
	_, err := c.output(ctx, nil, "read-tree", "--reset", "-u", tree)
	if c.LFS && err != nil && strings.Contains(err.Error(), "smudge filter lfs failed") && !c.repo.hasLFS() {
		return errNoLFS
	}
	return err
}

// Clean removes files that are not in the index, except, with keepIgnored, those that
// Git ignores.
func (c *Checkout) Clean(ctx context.Context, keepIgnored bool) error {
	options := "-qffdx" // -f twice: nested repositories too
	if keepIgnored {
		options = "-qffd"
	}
	_, err := c.output(ctx, nil, "clean", options)
	return err
}

// Files returns the paths in the index.
func (c *Checkout) Files(ctx context.Context) ([]string, error) {
	return c.output(ctx, nil, "ls-files", "-z")
}

// Directories returns the paths of the directories of a tree.
func (c *Checkout) Directories(ctx context.Context, tree string) ([]string, error) {
	return c.output(ctx, nil, "ls-tree", "-rdz", "--name-only", tree)
}

// Submodules returns the submodules in the index. The Name of an Entry is its path.
func (c *Checkout) Submodules(ctx context.Context) ([]Entry, error) {
	lines, err := c.output(ctx, nil, "ls-files", "-sz")
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, line := range lines { // MODE OID STAGE TAB PATH
		if rest, ok := strings.CutPrefix(line, "160000 "); ok {
			oid, _, _ := strings.Cut(rest, " ")
			_, path, _ := strings.Cut(rest, "\t")
			list = append(list, Entry{Name: path, Mode: ModeSubmodule, OID: oid})
		}
	}
	return list, nil
}

// Filtered returns the paths in the index that a configured filter program changes. Pushed
// attributes can only name such a program.
func (c *Checkout) Filtered(ctx context.Context) ([]string, error) {
	config, err := c.repo.AllConfig()
	if err != nil {
		return nil, err
	}
	declared := map[string]bool{}
	for key := range config {
		name, ok := strings.CutPrefix(key[:strings.LastIndex(key, ".")], "filter.")
		if ok && (c.LFS || name != lfs) {
			declared[name] = true
		}
	}
	if len(declared) == 0 {
		return nil, nil
	}
	files, err := runGit(ctx, c.command(ctx, "ls-files", "-z"), "ls-files")
	if err != nil {
		return nil, err
	}
	fields, err := c.output(ctx, files, "check-attr", "--cached", "-z", "--stdin", "filter")
	if err != nil {
		return nil, err
	}
	var list []string
	for i := 0; i+2 < len(fields); i += 3 { // path, name of the attribute, value
		if declared[fields[i+2]] {
			list = append(list, fields[i])
		}
	}
	return list, nil
}

// lfs is the name of the filter of Git LFS.
const lfs = "lfs"

// hasLFS reports whether the configuration has a program for the filter of Git LFS.
func (r *Repo) hasLFS() bool {
	smudge, _, _ := r.Config("filter.lfs.smudge")
	process, _, _ := r.Config("filter.lfs.process")
	return smudge != "" || process != ""
}
