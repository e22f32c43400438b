package git

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// HooksDir returns the directory of the hooks that git runs for a push, see core.hooksPath
// in git-config(1). If other repositories use the directory too, shared is the scope of the
// configuration that sets it, such as "global"; otherwise it is "".
func (r *Repo) HooksDir(ctx context.Context) (dir, shared string, err error) {
	out, err := r.output(ctx, "config", "--show-scope", "--type=path", "-z", "--get-all", "core.hooksPath")
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(r.CommonDir(), "hooks")
	fields := strings.Split(string(out), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		scope, value := fields[i], fields[i+1]
		if scope == "command" { // our own, see (*Repo).command
			continue
		}
		// The hooks of a push run in the Git directory, see githooks(5).
		if dir = value; !filepath.IsAbs(dir) {
			dir = filepath.Join(r.dir, dir)
		}
		shared = scope
		if scope == "local" || scope == "worktree" {
			shared = ""
		}
	}
	return dir, shared, nil
}

// IsTrue reports whether the configuration variable is true in any configuration file.
func (r *Repo) IsTrue(ctx context.Context, key string) (bool, error) {
	out, err := r.output(ctx, "config", "--type=bool", "--get", key)
	if exitedWith(err, 1) {
		return false, nil
	}
	return string(out) == "true\n", err
}

// LocalValues returns the variable's values in the repository's own configuration file.
func (r *Repo) LocalValues(ctx context.Context, key string) ([]string, error) {
	out, err := r.output(ctx, "config", "--local", "-z", "--get-all", key)
	if exitedWith(err, 1) {
		return nil, nil
	}
	return splitNUL(out), err
}

// SetLocal sets the variable in the repository's own configuration file to the values, and
// removes it if there are none.
func (r *Repo) SetLocal(ctx context.Context, key string, values ...string) error {
	_, err := r.output(ctx, "config", "--local", "--unset-all", key)
	if err != nil && !exitedWith(err, 5) { // 5: it was not set
		return err
	}
	for _, value := range values {
		if _, err := r.output(ctx, "config", "--local", "--add", key, value); err != nil {
			return err
		}
	}
	return nil
}

// exitedWith reports whether err is an *Error with the exit status code.
func exitedWith(err error, code int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
