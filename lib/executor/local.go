package executor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/git"
	"quire/lib/push"
	"quire/lib/repos"
)

// localFacts returns facts for a run of a working copy, as if the commit of HEAD had just
// been pushed on top of its parent. Outside a repository, or before the first commit, some
// facts are missing; that is no error.
func localFacts(ctx context.Context, workspace string) (push.Facts, error) {
	f := push.Facts{Repo: filepath.Base(workspace), PushedAt: time.Now(), Trigger: push.ByHand}
	repo, err := git.Open(workTree(workspace))
	if err != nil {
		return f, nil
	}
	f.Repo, _ = repos.Name(repo, "")
	f.GitDir = repo.Dir()
	f.Ref = "HEAD"
	if head, err := os.ReadFile(filepath.Join(repo.Dir(), "HEAD")); err == nil {
		if ref, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: "); ok {
			f.Ref = ref
		}
	}
	if name, ok, err := repo.Config("user.name"); err == nil && ok {
		f.Pusher = name
	}
	objects, err := repo.Objects(ctx)
	if err != nil {
		return f, err
	}
	defer objects.Close()
	infos, errs := objects.InfoAll([]string{"HEAD^{commit}", "HEAD^1^{commit}"})
	if errs[0] != nil {
		return f, nil
	}
	f.SHA = infos[0].OID
	old := strings.Repeat("0", len(f.SHA)) // as for the first push to a branch
	if errs[1] == nil {
		old, f.PreviousSHA = infos[1].OID, infos[1].OID
	}
	if f.FilesChanged, err = repo.ChangedFiles(ctx, old, f.SHA); err != nil {
		return f, err
	}
	_, _, f.CommitMessage, err = objects.Commit(f.SHA)
	return f, err
}

// workTree returns the directory at or above dir that holds .git, or dir.
func workTree(dir string) string {
	for top := dir; ; top = filepath.Dir(top) {
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			return top
		}
		if top == filepath.Dir(top) {
			return dir
		}
	}
}
