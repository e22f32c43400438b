package trigger

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"quire/lib/git"
	"quire/lib/push"
)

// pusherVariables contain the name of the pusher, the most trusted first: the owner, a web
// server, gitolite and the login set them.
var pusherVariables = []string{"QUIRE_PUSHER", "REMOTE_USER", "GL_USER", "LOGNAME", "USER"}

// FromEnv reads the pusher and the push options from the environment of a hook; see
// githooks(5) under post-receive. A warning is about an option of quire that is unknown or
// wrong and so has no effect. The gate refuses a push if t.Wrong is not empty.
func (t *Trigger) FromEnv(getenv func(string) string) (warnings []string) {
	for _, name := range pusherVariables {
		if t.Pusher = getenv(name); t.Pusher != "" {
			break
		}
	}
	n, _ := strconv.Atoi(getenv("GIT_PUSH_OPTION_COUNT"))
	for i := range n {
		option := getenv(fmt.Sprintf("GIT_PUSH_OPTION_%d", i))
		key, value, _ := strings.Cut(option, "=")
		switch {
		case option == "ci.skip":
			t.Skip = true
		case option == "ci.wait": // for quire-dispatch
		case key == "ci.var":
			name, value, err := push.ParseVar(value)
			if err != nil {
				t.Wrong = append(t.Wrong, fmt.Sprintf("push option '%s': %v", option, err))
				warnings = append(warnings, fmt.Sprintf("push option '%s' has no effect: %v", option, err))
				continue
			}
			if t.Vars == nil {
				t.Vars = map[string]string{}
			}
			t.Vars[name] = value
		case strings.HasPrefix(option, "ci."):
			warnings = append(warnings, fmt.Sprintf("push option '%s' has no effect: the options are ci.skip, ci.wait and ci.var=NAME=VALUE", option))
		}
	}
	return warnings
}

// Resolve returns an update that creates ref at its current object. ref is a full name, or
// the name of a branch or a tag.
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
