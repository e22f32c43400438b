package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tutorialChecks has a check for each step of quire-tutorial(7), as a shell script in the
// working copy. A run in the working copy must exit with 0 anyway.
var tutorialChecks = []string{
	`test -z "$OUT"; test -x site.git/hooks/post-receive; test -e root/repos/site.git`,
	`test -s head.html && test -s pages/about.html`,
	`test "$OUT" = "hello	quire/push"`,
	`says "hello"; test -z "$(quire-runstate list)"`,
	`is main hello complete; says "hello"`,
	`grep -q '<title>My site' "$(printf '%s\n' "$OUT" | sed -n 's/^artifacts of build: //p')/about.html"`,
	`is main check-index complete; is main check-about complete`,
	`says "job	check-about failed"; is main check-about complete; test "$(quire-runstate list --state failed | wc -l)" = 1`,
	`is main check-about complete; is main deploy skipped; says "deploy	run	check-index check-about	-"; test -z "$(ls ../www)"`,
	`is v1 deploy complete; says '<a href="about.html">About</a>'; cmp ../www/current/index.html ../www/v1/index.html`,
}

// tutorialFunctions is for the checks: "says TEXT" is true if a command of the step
// printed it, "is REF JOB STATE" if the newest run of the ref has a job in that state.
const tutorialFunctions = `set -e
says() { printf '%s\n' "$OUT" | grep -qF "$1" || { echo "the step does not print $1, but $OUT"; exit 1; }; }
is() { quire-runstate show "site.git@$1" | grep -q "^job	$2 $3" || { quire-runstate show "site.git@$1"; exit 1; }; }
`

// TestTutorial does all steps of quire-tutorial(7) in an empty directory, once in Fennel
// and once in Lua. Both must get the same jobs.
func TestTutorial(t *testing.T) {
	t.Parallel()
	needs(t, "python3", "curl")
	steps := strings.Split(read(t, "../man/quire-tutorial.7"), "\n.Ss ")[1:]
	if len(steps) != len(tutorialChecks) {
		t.Fatalf("%d steps, %d tests", len(steps), len(tutorialChecks))
	}
	for file, other := range map[string]string{"ci.fnl": "ci.lua", "ci.lua": "ci.fnl"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			r := newTutorialReader(t, file)
			for i, step := range steps {
				title, body, _ := strings.Cut(step, "\n")
				if !t.Run(title, func(t *testing.T) { r.step(t, body, tutorialChecks[i]) }) {
					t.Fatalf("stopped: the steps after this one need it")
				}
			}
			if r.pipelines[file] != r.pipelines[other] || r.pipelines[file] != 4 {
				t.Errorf("the page has %d pieces of %s and %d of %s", r.pipelines[file], file, r.pipelines[other], other)
			}
		})
	}
}

// A tutorialReader follows the tutorial in one language. The directory and the variables
// of the reader's shell pass from one step to the next.
type tutorialReader struct {
	*world
	file      string         // the pipeline of the language, below .quire
	pipelines map[string]int // how many pieces in each language were shown
	port      string
}

func newTutorialReader(t *testing.T, file string) *tutorialReader {
	t.Helper()
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: t.TempDir(), page: "quire-tutorial.7"}
	w.env = []string{
		"PATH=" + filepath.Join(prefix, "bin") + ":" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + w.dir,
		"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
	}
	w.write(t, ".gitconfig", "[user]\n\tname = A Reader\n\temail = reader@example.org\n")
	w.write(t, ".shell", "cd empty\n")
	w.sh(t, "", "mkdir empty")
	return &tutorialReader{w, file, map[string]int{}, fmt.Sprint(ports[0])}
}

// step follows one step as the reader does, and checks the result.
func (r *tutorialReader) step(t *testing.T, body, check string) {
	t.Helper()
	commands := ""
	for _, e := range pageExamples(r.page, ".Sh EXAMPLES\n"+body) {
		switch {
		case strings.HasPrefix(e.text, "$ "):
			commands += strings.ReplaceAll("\n"+strings.TrimSpace(e.text), "\n$ ", "\n") + "\n"
		case strings.HasPrefix(e.text, "("):
			r.pipeline(t, "ci.fnl", "(local ci ", e.text)
		default:
			r.pipeline(t, "ci.lua", "local ci ", e.text)
		}
	}
	commands = exitsOne.ReplaceAllString(strings.ReplaceAll(commands, "8000", r.port), "if $1; then false; else [ $$? = 1 ]; fi")
	out := r.sh(t, "", "set -e\n. ./.shell\n"+commands+`{ export -p; echo "cd '$PWD'"; } >"$HOME/.shell"`)
	out = strings.ReplaceAll(strings.TrimSpace(out), "'", `'\''`)
	r.sh(t, "", ". ./.shell\nOUT='"+out+"'\n"+tutorialFunctions+check)
}

// pipeline writes a piece of the pipeline if it is in the language of the reader. A piece
// with the first line of a pipeline is the whole file; others are appended.
func (r *tutorialReader) pipeline(t *testing.T, file, first, text string) {
	t.Helper()
	r.pipelines[file]++
	if file != r.file {
		return
	}
	path := "empty/tutorial/work/.quire/" + file
	if !strings.HasPrefix(text, first) {
		text = read(t, filepath.Join(r.dir, path)) + text
	}
	r.write(t, path, text)
}
