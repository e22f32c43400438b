package trigger

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"quire/lib/git"
)

// pusherVariables name who pushed, in the order of trust: set by the owner, by a
// web server, by gitolite, by the login.
var pusherVariables = []string{"QUIRE_PUSHER", "REMOTE_USER", "GL_USER", "LOGNAME", "USER"}

// FromEnv takes from the environment of a hook who pushed, and whether the push
// has the option ci.skip; see githooks(5) under post-receive.
func (t *Trigger) FromEnv(getenv func(string) string) {
	for _, name := range pusherVariables {
		if t.Pusher = getenv(name); t.Pusher != "" {
			break
		}
	}
	n, _ := strconv.Atoi(getenv("GIT_PUSH_OPTION_COUNT"))
	for i := range n {
		if getenv(fmt.Sprintf("GIT_PUSH_OPTION_%d", i)) == "ci.skip" {
			t.Skip = true
		}
	}
}

// Resolve returns the update that would have made ref, a full name or that of a
// branch or a tag, as it is now.
func Resolve(ctx context.Context, repo *git.Repo, ref string) (Update, error) {
	objects, err := repo.Objects(ctx)
	if err != nil {
		return Update{}, err
	}
	defer objects.Close()
	names := []string{ref}
	if !strings.HasPrefix(ref, "refs/") {
		names = []string{"refs/heads/" + ref, "refs/tags/" + ref}
	}
	infos, errs := objects.InfoAll(names)
	for i, name := range names {
		if errs[i] == nil {
			id := infos[i].OID
			return Update{Old: strings.Repeat("0", len(id)), New: id, Ref: name}, nil
		}
	}
	return Update{}, fmt.Errorf("cannot trigger '%s': %w", ref, errs[0])
}
