package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// An Index is a temporary index. Through it git is asked what only git can tell
// of a working copy: which attributes a path has, which contents its filters make
// of it, which files are ignored.
type Index struct {
	// LFS has Checkout put the files in place that pointers of Git LFS stand for,
	// by the filter that `git lfs install` sets up, and fail where it fails. Without
	// it pointers stay what the commit has: the filter would fetch from the network.
	LFS bool
	// Serial has Checkout write one file after the other. Where git writes several
	// at once it takes the working-tree-encoding of one for that of another (seen
	// with 2.39): it keeps a pointer to text that it frees meanwhile.
	Serial bool

	repo *Repo
	file string
}

// An IndexEntry is a file of an index.
type IndexEntry struct {
	Mode uint32
	OID  string
	Path string // from the root of the tree
}

// NewIndex writes an index of entries to file, an absolute path at which nothing
// is yet. The repository's own index is not touched. The file is the caller's to
// remove. There is none of no entries, which git takes for the same.
func (r *Repo) NewIndex(file string, entries []IndexEntry) (*Index, error) {
	ix := &Index{repo: r, file: file}
	if len(entries) == 0 {
		return ix, nil
	}
	text, err := formatIndex(entries)
	if err != nil {
		return nil, err
	}
	return ix, os.WriteFile(file, text, 0o666)
}

// command returns git on the index with the working copy dir.
func (ix *Index) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	lfs := []string{"-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"}
	if ix.LFS {
		lfs = []string{"-c", "filter.lfs.required=true"}
	}
	workers := "0" // as many as there are processors
	if ix.Serial {
		workers = "1"
	}
	cmd := ix.repo.command(ctx, slices.Concat(lfs, []string{
		"-c", "checkout.workers=" + workers,
		"-c", "core.sparseCheckout=false",
	}, args)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "GIT_INDEX_FILE="+ix.file, "GIT_WORK_TREE="+dir)
	// What writes files must not go on when quire is killed, nor filters when git is.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// Attributes tells the attributes called names of paths, see gitattributes(5). It
// calls each for every path with the values in the order of the names, of which
// "unspecified", "unset" and "set" stand for what is no value.
func (ix *Index) Attributes(ctx context.Context, names, paths []string, each func(path string, values []string)) error {
	args := append([]string{"check-attr", "--cached", "-z", "--stdin"}, names...)
	cmd := ix.command(ctx, ix.repo.dir, args...)
	cmd.Stdin = joinNUL(paths)
	out, err := finish(ctx, cmd, "check-attr")
	if err != nil {
		return err
	}
	fields := splitNUL(out)
	if len(fields) != 3*len(names)*len(paths) {
		return fmt.Errorf("git check-attr: %d fields of %d paths", len(fields), len(paths))
	}
	for part := range slices.Chunk(fields, 3*len(names)) { // path, name, value; path, name, value
		values := make([]string, len(names))
		for i := range values {
			values[i] = part[3*i+2]
		}
		each(part[0], values)
	}
	return nil
}

// Checkout writes paths of the index below the directory dir, with the
// attributes and filters that a checkout there applies. Files that exist stay.
// Attribute files count that are in the index or in dir.
func (ix *Index) Checkout(ctx context.Context, dir string, paths []string) error {
	cmd := ix.command(ctx, dir, "checkout-index", "-z", "--stdin")
	cmd.Stdin = joinNUL(paths)
	_, err := finish(ctx, cmd, "checkout-index")
	return err
}

// Ignored lists what is below dir, not in the index, and ignored by git's usual
// rules. A directory that is ignored as a whole ends with a slash.
func (ix *Index) Ignored(ctx context.Context, dir string) ([]string, error) {
	cmd := ix.command(ctx, dir, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
	out, err := finish(ctx, cmd, "ls-files")
	if err != nil {
		return nil, err
	}
	return splitNUL(out), nil
}

// joinNUL writes a list whose entries each end with a NUL.
func joinNUL(list []string) *strings.Reader {
	var b strings.Builder
	for _, entry := range list {
		b.WriteString(entry)
		b.WriteByte(0)
	}
	return strings.NewReader(b.String())
}
