package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A world is a directory for running the examples of a page: a root, repositories with
// runs, and a working copy, with the paths that the pages use.
type world struct {
	dir    string
	page   string
	env    []string
	walked map[string]bool // the examples that TestDemo runs
	places *strings.Replacer
}

// makeWorld is the script that creates a world.
const makeWorld = `set -e
mkdir -p tmp srv/git var/quire/repos/work run/secrets
printf '[user]\n\tname = A Pusher\n\temail = pusher@example.org\n[init]\n\tdefaultBranch = main\n' >.gitconfig
printf 'executor = "quire-ci"\n[secrets]\ntoken = { value = "not very secret" }\n' >var/quire/config.toml
chmod 600 var/quire/config.toml
git init -q --bare srv/git/foo.git
ln -s git/foo.git srv/foo.git
git init -q --bare var/quire/repos/work/foo.git
for repo in srv/git/foo.git var/quire/repos/work/foo.git; do
	git -C "$repo" config quire.root "$PWD/var/quire"
	quire-trigger --install-hook --git-dir "$repo"
done
git init -q foo
cd foo
git remote add origin "$OLDPWD/srv/git/foo.git"
mkdir .quire
cat >.quire/ci.fnl <<'END'
(local ci (require :quire.ci))
(ci.job :build [:quire/push] (fn [{: sh}] (sh "make")))
(ci.job :test [:build] (fn [{: sh}] (sh "make check")))
(ci.job :deploy [:test] (fn [{: sh : secret}] (sh "echo deployed" {:env {:TOKEN (secret :token)}}))
  {:when {:tag "v*"}})
END
printf 'all:\n\techo built\ncheck:\n\t%s\n' false >Makefile
git add .
git commit -qm 'First'
for remote in origin ../var/quire/repos/work/foo.git; do
	git push -q -o ci.wait $remote main
done
printf 'all:\n\techo built\n\ttest -z "$$QUIRE_ARTIFACTS" || echo app >"$$QUIRE_ARTIFACTS/app"\ncheck:\n\techo checked\n' >Makefile
git commit -qam 'Mend the check'
git tag v1.2
for remote in origin ../var/quire/repos/work/foo.git; do
	git push -q -o ci.wait $remote main v1.2
done
`

func newWorld(t *testing.T, page string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{dir: dir, page: page, walked: map[string]bool{}}
	w.places = strings.NewReplacer(
		"/var/quire", dir+"/var/quire", "/srv/", dir+"/srv/", "/usr/local", prefix,
		"/tmp/release", dir+"/tmp/release", "/tmp/foo-deploy.lock", dir+"/tmp/foo-deploy.lock", "/run/secrets", dir+"/run/secrets",
		"tail -f", "tail", // which would never end
	)
	w.env = []string{
		"PATH=" + filepath.Join(prefix, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "QUIRE_ROOT=" + filepath.Join(dir, "var/quire"), "TOKEN=abcdefgh",
	}
	if page == "README.md" {
		_, walk, _ := strings.Cut(read(t, "../README.md"), "\n## From nothing to a mail\n")
		walk, _, _ = strings.Cut(walk, "\n## ")
		for _, e := range readmeExamples(walk) {
			w.walked[e.text] = true
		}
	}
	if out, err := w.command("", makeWorld); err != nil {
		t.Fatalf("cannot make a world: %v\n%s", err, out)
	}
	return w
}

// command runs a shell command in a directory of the world.
func (w *world) command(dir, script string) (string, error) {
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, dir), w.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sh runs a shell command that must succeed.
func (w *world) sh(t *testing.T, dir, script string) string {
	t.Helper()
	out, err := w.command(dir, script)
	if err != nil {
		t.Errorf("%s\n%v\n%s", script, err, out)
	}
	return out
}

var (
	cronLine     = regexp.MustCompile(`(?m)^([0-9*/,-]+ ){5} *`)
	configLine   = regexp.MustCompile(`\A(#.*\n)*([a-z.-]+ = |\[)`)
	exitsOne     = regexp.MustCompile(`(?m)^(.*\S) +# exits 1$`)
	launcherPath = regexp.MustCompile(`/[^"]*/share/quire/launchers/[^"]*`)
	anID         = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// example uses an example as its reader would.
func (w *world) example(t *testing.T, e example) {
	t.Helper()
	text := w.places.Replace(e.text)
	switch {
	case strings.HasPrefix(text, "#!") && w.page == "quire-launcher.7":
		w.launcher(t, text)
	case strings.HasPrefix(text, "#!"):
		w.onEnd(t, text)
	case strings.HasPrefix(text, "(local ci"):
		w.validate(t, "ci.fnl", text)
	case strings.HasPrefix(text, "local ci"):
		w.validate(t, "ci.lua", text)
	case strings.HasPrefix(text, "(ci."):
		w.validate(t, "ci.fnl", "(local ci (require :quire.ci))\n"+text)
	case strings.HasPrefix(text, "(let "), strings.HasPrefix(text, "(sh "): // the code of a job
		w.validate(t, "ci.fnl", "(local ci (require :quire.ci))\n(ci.job :a [:quire/push] (fn [{: sh}] "+text+"))\n")
	case strings.Contains("\n"+text, "\n{:"):
		w.configure(t, "config.fnl", text)
	case configLine.MatchString(text):
		w.configure(t, "config.toml", text)
	case cronLine.MatchString(text):
		w.shell(t, cronLine.ReplaceAllString(text, ""))
	case strings.HasPrefix(text, "$ "):
		var commands strings.Builder
		for line := range strings.Lines(text) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				commands.WriteString(command)
			}
		}
		w.shell(t, commands.String())
	default:
		w.shell(t, text)
	}
}

// shell runs commands in the directory that the page assumes. Each must succeed unless a
// comment says otherwise. Then shell waits for the runs that they started.
func (w *world) shell(t *testing.T, commands string) {
	t.Helper()
	dir := "foo"
	switch w.page {
	case "quire-run.5":
		dir = "var/quire"
	case "quire-events.5":
		newest := w.sh(t, "", "quire-runstate show work/foo.git@main | sed -n 's/^dir\t//p'")
		dir = strings.TrimPrefix(strings.TrimSpace(newest), w.dir)
	}
	if anID.MatchString(commands) {
		id := w.sh(t, "", "quire-runstate list --repo work/foo.git --limit 1 | cut -f 1")
		commands = anID.ReplaceAllString(commands, strings.TrimSpace(id))
	}
	if w.page == "README.md" {
		// A push with options but without commits may end with SIGPIPE: git-receive-pack
		// does not read the options then.
		w.sh(t, dir, "git commit -q --allow-empty -m 'Something to push'")
	}
	commands = exitsOne.ReplaceAllString(commands, "if $1; then false; else [ $$? = 1 ]; fi")
	w.sh(t, dir, "set -e\n"+commands)
	w.sh(t, "", `quire-runstate reconcile | quire-dispatch -w
		for id in $(quire-runstate list --state pending,active | cut -f 1); do quire-runstate wait $id || :; done
		quire-runstate notify`)
}

// validate checks a pipeline.
func (w *world) validate(t *testing.T, name, text string) {
	t.Helper()
	w.write(t, "tmp/.quire/"+name, text)
	w.sh(t, "tmp", "quire-ci validate")
	w.sh(t, "tmp", "rm -r .quire")
}

// configure reads a configuration, and restores the previous one.
func (w *world) configure(t *testing.T, name, text string) {
	t.Helper()
	w.sh(t, "var/quire", "mv config.toml kept")
	w.write(t, "var/quire/"+name, text)
	w.sh(t, "", "quire-runstate prune -n")
	for _, path := range launcherPath.FindAllString(text, -1) {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("no such launcher: %v", err)
		}
	}
	w.sh(t, "var/quire", "rm config.* && mv kept config.toml")
}

// onEnd runs a program for the end of a run.
func (w *world) onEnd(t *testing.T, text string) {
	t.Helper()
	w.write(t, "var/quire/on-end.d/example", text)
	log := w.sh(t, "foo", `chmod 755 "$QUIRE_ROOT/on-end.d/example"
		git commit -q --allow-empty -m Again && git push -q -o ci.wait origin main 2>&1 &&
		quire-runstate notify && cat "$(quire-runstate show foo.git@main | sed -n 's/^dir	//p')/on-end.log"`)
	if !strings.Contains(log, "on-end.d/example: exit 0\n") {
		t.Errorf("told: %s", log)
	}
	w.sh(t, "", `rm "$QUIRE_ROOT/on-end.d/example"`)
}

// launcher runs a push with a launcher.
func (w *world) launcher(t *testing.T, text string) {
	t.Helper()
	first, rest, _ := strings.Cut(text, "\n")
	w.write(t, "tmp/launcher", first+"\n: >'"+w.dir+"/tmp/launched'\n"+rest)
	w.sh(t, "foo", `chmod 755 ../tmp/launcher
		cp "$QUIRE_ROOT/config.toml" ../tmp/kept
		{ echo "launcher = ['$HOME/tmp/launcher']"; cat ../tmp/kept; } >"$QUIRE_ROOT/config.toml"
		git commit -q --allow-empty -m Again
		git push -q -o ci.wait origin main 2>&1
		cp ../tmp/kept "$QUIRE_ROOT/config.toml"
		quire-runstate wait foo.git@main && rm ../tmp/launched`)
}

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
