package executor

import (
	"slices"
	"strings"

	"quire/lib/push"
)

// inherited are the variables that jobs get from the environment of quire: where
// programs are, who runs them, and in which language and time zone they speak.
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"}

// BaseEnv returns of environ, a list of NAME=VALUE, what jobs may see: the usual
// variables, every LC_*, and those that pass names. Git's and quire's own never
// are: a hook's GIT_DIR would make every git of a job work on the repository that
// was pushed to.
func BaseEnv(environ, pass []string) []string {
	var env []string
	for _, assignment := range environ {
		name, _, _ := strings.Cut(assignment, "=")
		switch {
		case strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "QUIRE_"):
		case slices.Contains(inherited, name), strings.HasPrefix(name, "LC_"), slices.Contains(pass, name):
			env = append(env, assignment)
		}
	}
	return env
}

// JobEnv returns the environment of a job: base, the facts, and vars, a map of
// names to values. It is sorted, and has no name twice.
func JobEnv(base []string, f push.Facts, workspace, job string, vars map[string]string) []string {
	env := newEnviron(base)
	for name, value := range vars {
		env[name] = value
	}
	env["CI"] = "true"
	env["QUIRE_RUN"] = f.ID
	env["QUIRE_REPO"] = f.Repo
	env["QUIRE_REF"] = f.Ref
	env["QUIRE_SHA"] = f.SHA
	env["QUIRE_JOB"] = job
	env["QUIRE_WORKSPACE"] = workspace
	return env.list()
}

// An environ is an environment by names.
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
