package pipeline

import (
	"io/fs"
	"slices"
	"strings"
)

// A Starter is a first pipeline for a project.
type Starter struct {
	Kind        string // of the project, such as "a Go module"
	build, test string // commands
}

// NewStarter returns the starter that fits the first of these files in tree: a Makefile,
// go.mod, Cargo.toml, package.json, pyproject.toml.
func NewStarter(tree fs.FS) Starter {
	text := func(name string) (string, bool) {
		if info, err := fs.Stat(tree, name); err != nil || !info.Mode().IsRegular() {
			return "", false // opening a FIFO would wait
		}
		content, err := fs.ReadFile(tree, name)
		return string(content), err == nil
	}
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} {
		if rules, ok := text(name); ok {
			return Starter{"a Makefile", "make", makeTest(rules)}
		}
	}
	if _, ok := text("go.mod"); ok {
		return Starter{"a Go module", "go build ./...", "go vet ./... && go test ./..."}
	}
	if _, ok := text("Cargo.toml"); ok {
		return Starter{"a Cargo package", "cargo build", "cargo test"}
	}
	if _, ok := text("package.json"); ok {
		install := "npm install"
		if _, locked := text("package-lock.json"); locked {
			install = "npm ci"
		}
		return Starter{"an npm package", install + " && npm run build --if-present", "npm test"}
	}
	if project, ok := text("pyproject.toml"); ok {
		s := Starter{"a Python project", "python3 -m venv .venv && .venv/bin/pip install .", ".venv/bin/python -m unittest"}
		if strings.Contains(project, "pytest") {
			s.build += " pytest"
			s.test = ".venv/bin/python -m pytest"
		}
		return s
	}
	return Starter{"any project", "echo 'replace this by the command that builds'", "echo 'replace this by the command that tests'"}
}

// makeTest returns the command that tests with the rules of a Makefile.
func makeTest(rules string) string {
	for _, target := range []string{"test", "check"} {
		for line := range strings.Lines(rules) {
			targets, rest, rule := strings.Cut(line, ":")
			assignment := strings.HasPrefix(strings.TrimLeft(rest, ":"), "=")
			if rule && !assignment && line[0] != '\t' && slices.Contains(strings.Fields(targets), target) {
				return "make " + target
			}
		}
	}
	return "echo 'the Makefile has neither a target test nor check'"
}

// Fennel returns the starter as the text of .quire/ci.fnl.
func (s Starter) Fennel() string { return s.text(starterFennel) }

// Lua returns the starter as the text of .quire/ci.lua.
func (s Starter) Lua() string { return s.text(starterLua) }

func (s Starter) text(form string) string {
	return strings.NewReplacer("KIND", s.Kind, "BUILD", s.build, "TEST", s.test).Replace(form)
}

const starterFennel = `; The pipeline of this repository, for KIND. quire-pipeline(5) describes
; the language and all options. Try it with: quire-ci run

(local ci (require :quire.ci))

; A job has a name, a list of the jobs that it needs, and a function. quire/push stands for
; the push: a job that needs nothing else starts at once.
(ci.job :build [:quire/push]
  (fn [{: sh}]
    ; A command that fails, fails the job.
    (sh "BUILD")))

; Files for people and for later jobs belong into the directory $QUIRE_ARTIFACTS.
(ci.job :test [:build]
  (fn [{: sh}]
    (sh "TEST"))
  {:timeout "30m"})
`

const starterLua = `-- The pipeline of this repository, for KIND. quire-pipeline(5) describes
-- the language and all options. Try it with: quire-ci run

local ci = require("quire.ci")

-- A job has a name, a list of the jobs that it needs, and a function. quire/push stands for
-- the push: a job that needs nothing else starts at once.
ci.job("build", {"quire/push"}, function(q)
  -- A command that fails, fails the job.
  q.sh("BUILD")
end)

-- Files for people and for later jobs belong into the directory $QUIRE_ARTIFACTS.
ci.job("test", {"build"}, function(q)
  q.sh("TEST")
end, {timeout = "30m"})
`
