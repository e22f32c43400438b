package executor

import (
	"maps"
	"slices"
	"strings"

	"quire/lib/push"
)

// inherited are the variables that jobs get from the environment of quire: they name the
// directories of programs, the user, the language and the time zone.
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"}

// defaultPath is the PATH of the jobs of a recorded run, unless the configuration or a
// launcher sets another. It does not depend on the pusher or on cron.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// BaseEnv returns the variables of environ, a list of NAME=VALUE, that jobs may see: the
// usual ones, every LC_*, and those named in pass, but never GIT_* and QUIRE_*: a hook's
// GIT_DIR would make every git in a job work on the repository that was pushed to.
//
// path is the PATH of the driver of a recorded run, which it got from the pusher or cron.
// Jobs get defaultPath instead, after the directories that a launcher prepended. If a
// launcher replaced PATH, or pass names it, jobs get PATH unchanged.
func BaseEnv(environ, pass []string, path string) []string {
	var env []string
	for _, assignment := range environ {
		name, value, _ := strings.Cut(assignment, "=")
		switch {
		case strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "QUIRE_"):
		case name == "PATH" && path != "" && !slices.Contains(pass, name):
			if before, ok := strings.CutSuffix(value, path); ok && (before == "" || strings.HasSuffix(before, ":")) {
				value = before + defaultPath
			}
			env = append(env, "PATH="+value)
		case slices.Contains(inherited, name), strings.HasPrefix(name, "LC_"), slices.Contains(pass, name):
			env = append(env, assignment)
		}
	}
	return env
}

// JobEnv returns the environment of a job: base, then the variables of the run, then vars,
// then the facts. The last value of a name wins. The list is sorted and names are unique.
func JobEnv(base []string, f push.Facts, workspace, job string, vars map[string]string) []string {
	env := newEnviron(base)
	maps.Copy(env, f.Vars)
	maps.Copy(env, vars)
	env["CI"] = "true"
	env["QUIRE_RUN"] = f.ID
	env["QUIRE_REPO"] = f.Repo
	env["QUIRE_REF"] = f.Ref
	env["QUIRE_SHA"] = f.SHA
	env["QUIRE_JOB"] = job
	env["QUIRE_WORKSPACE"] = workspace
	env["QUIRE_TRIGGER"] = f.Trigger
	return env.list()
}

// An environ maps the names of environment variables to their values.
type environ map[string]string

func newEnviron(list []string) environ {
	env := environ{}
	for _, assignment := range list {
		if name, value, ok := strings.Cut(assignment, "="); ok {
			env[name] = value
		}
	}
	return env
}

func (e environ) list() []string {
	list := make([]string, 0, len(e))
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}
