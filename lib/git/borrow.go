package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/file"
)

// CommonDir returns the absolute path of the directory that has the repository's
// objects and refs. It differs from Dir only in a linked working tree, see commondir in
// gitrepository-layout(5).
func (r *Repo) CommonDir() string {
	text, err := file.Read(filepath.Join(r.dir, "commondir"))
	if err != nil {
		return r.dir
	}
	dir := strings.TrimRight(string(text), "\r\n")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.dir, dir)
	}
	return dir
}

// Borrow makes a repository in dir/.git for the files of commit, a full id, in dir. Its
// HEAD is detached at the commit, and its index is a copy of the file index. It reads r's
// objects, and has a copy of the objects in quarantine. Objects written to it are not added to
// r. It has r's tags, and r's branches as branches of a remote "origin".
func (r *Repo) Borrow(ctx context.Context, dir, commit, index string) error {
	if err := r.borrow(ctx, filepath.Join(dir, ".git"), commit, index); err != nil {
		return fmt.Errorf("cannot make .git: %w", err)
	}
	return nil
}

func (r *Repo) borrow(ctx context.Context, gitDir, commit, index string) error {
	common := r.CommonDir()
	if strings.ContainsAny(common, "\n\"") { // alternates has one path a line, and quoting
		return errors.New("a path with a line break or a quote cannot be borrowed from")
	}
	refs, err := r.packedRefs(ctx)
	if err != nil {
		return err
	}
	format := "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
	if len(commit) == 64 {
		format = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectFormat = sha256\n"
	}
	for _, name := range []string{"objects/info", "refs"} {
		if err := os.MkdirAll(filepath.Join(gitDir, name), 0o777); err != nil {
			return err
		}
	}
	files := map[string]string{
		"HEAD":                    commit + "\n",
		"config":                  format,
		"packed-refs":             refs,
		"objects/info/alternates": filepath.Join(common, "objects") + "\n",
	}
	if shallow, err := file.Read(filepath.Join(common, "shallow")); err == nil {
		files["shallow"] = string(shallow) // where history ends, on purpose
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(gitDir, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	if r.quarantine != "" { // git is about to move or to remove these objects
		if err := os.CopyFS(filepath.Join(gitDir, "objects"), os.DirFS(r.quarantine)); err != nil {
			return err
		}
	}
	text, err := file.Read(index)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(gitDir, "index"), text, 0o666)
}

// packedRefs returns the text of a packed-refs file.
func (r *Repo) packedRefs(ctx context.Context) (string, error) {
	refs, err := r.Refs(ctx, "refs/heads/", "refs/tags/")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, ref := range refs {
		name := ref.Name
		if branch, ok := strings.CutPrefix(name, "refs/heads/"); ok {
			name = "refs/remotes/origin/" + branch
		}
		fmt.Fprintf(&b, "%s %s\n", ref.OID, name)
	}
	return b.String(), nil
}
