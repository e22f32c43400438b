package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// isCommon reports whether completion offers an option everywhere.
func isCommon(call []string) func(string) bool {
	return func(o string) bool {
		return o == "-h" || o == "--help" || o == "--version" || o == "--root" && len(call) == 2 && call[0] == "quire-runstate"
	}
}

// completes are the options that completion offers for a call: the options in its usage.
func completes(t *testing.T, call []string) []string {
	options := slices.DeleteFunc(slices.Clone(usageOptions(t, call...)), isCommon(call))
	slices.Sort(options)
	return options
}

// TestCompletionOptions compares the options that the shells offer with those in the
// usage.
func TestCompletionOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "completion")
	for shell, list := range map[string]string{
		"bash": ". ../contrib/completion/quire.bash; _quire_options \"$@\"; :",
		"fish": "source ../contrib/completion/quire.fish; complete -C \"$argv -\" | string replace -r '\t.*' ''",
	} {
		t.Run(shell, func(t *testing.T) {
			needs(t, shell)
			for _, call := range calls(t) {
				words := []string{"-c", list, strings.Join(call, " ")}
				if shell == "bash" {
					words = append([]string{"-c", list, "bash"}, call...)
				}
				cmd := exec.Command(shell, words...)
				cmd.Env = w.env
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", call, err, out)
				}
				got := slices.DeleteFunc(strings.Fields(string(out)), isCommon(call))
				slices.Sort(got)
				if diff := cmp.Diff(strings.Join(completes(t, call), " "), strings.Join(got, " ")); diff != "" {
					t.Errorf("%s: %s", call, diff)
				}
			}
		})
	}
	t.Run("zsh", func(t *testing.T) {
		text := read(t, "../contrib/completion/_quire")
		for _, call := range calls(t) {
			for _, option := range completes(t, call) {
				if !strings.Contains(text, option+"[") && !strings.Contains(text, ","+option+"}") {
					t.Errorf("%s: no option %s", call, option)
				}
			}
		}
	})
}

// completions are the keys that a person types before TAB, and the line after it.
func completions(id string) [][2]string {
	return [][2]string{
		{"quire-runstate tran", "quire-runstate transition"},
		{"quire-runstate --root var/quire reco", "quire-runstate --root var/quire reconcile"},
		{"quire-runstate list --js", "quire-runstate list --json"},
		{"quire-runstate list --state acti", "quire-runstate list --state active"},
		{"quire-runstate list --repo wo", "quire-runstate list --repo work/foo.git"},
		{"quire-runstate show " + id[:len(id)-4], "quire-runstate show " + id},
		{"quire-runstate show work/foo.git@m", "quire-runstate show work/foo.git@main"},
		{"quire-runstate log -f work/foo.git@main te", "quire-runstate log -f work/foo.git@main test"},
		{"quire-runstate log work/foo.git@main fl", "quire-runstate log work/foo.git@main flaky"},
		{"quire-runstate wait foo.git@p", "quire-runstate wait foo.git@pending"},
		{"quire-runstate transition foo.git@pending supe", "quire-runstate transition foo.git@pending superseded"},
		{"quire-runstate transition --reason mat", "quire-runstate transition --reason materialize"},
		{"quire-trigger --rerun work/foo.git@m", "quire-trigger --rerun work/foo.git@main"},
		{"quire-trigger --unin", "quire-trigger --uninstall-hook"},
		{"quire-materialize --git-dir srv/foo.g", "quire-materialize --git-dir srv/foo.git"},
		{"quire-ci run --workspace foo --job dep", "quire-ci run --workspace foo --job deploy"},
		{"true; quire-runstate pru", "true; quire-runstate prune"},
		{"quire-ci comp", "quire-ci compile"},
	}
}

// typeInto runs an interactive shell on a terminal, types the lines, and returns its output
// in lines "RESULT line".
func (w *world) typeInto(t *testing.T, shell string, lines []string) []string {
	t.Helper()
	run := func() ([]byte, error) {
		cmd := exec.Command("timeout", "60", "script", "-qec", shell, "/dev/null")
		cmd.Dir, cmd.Env = w.dir, append(w.env, "TERM=dumb", "ZDOTDIR="+w.dir)
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\nexit\n")
		return cmd.CombinedOutput()
	}
	out, err := run()
	if err != nil && bytes.Contains(out, []byte("Segmentation fault")) { // of zsh 5.9, once in hundreds of runs
		t.Logf("%s crashed, and is tried again", shell)
		out, err = run()
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, out)
	}
	var results []string
	for line := range strings.Lines(string(out)) {
		if result, ok := strings.CutPrefix(strings.TrimRight(line, " /\r\n"), "RESULT "); ok {
			results = append(results, result)
		}
	}
	if len(results) == 0 {
		t.Logf("%s printed\n%s", shell, out)
	}
	return results
}

// TestCompletion presses TAB in each of the shells, with the installed completions.
func TestCompletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "completion")
	id := strings.TrimSpace(w.sh(t, "", `quire-runstate create --repo foo.git --git-dir /none --ref refs/heads/pending --sha 1 >/dev/null
		quire-runstate list --limit 2 | tail -n 1 | cut -f 1`))
	w.sh(t, "", `dir=$(quire-runstate show work/foo.git@main | sed -n 's/^dir.//p')
		echo '{"event":"job-end","job":"flaky","state":"failed","reason":"exit","code":1,"allowed":true}' >>"$dir/events.jsonl"`)
	share := filepath.Join(prefix, "share")
	w.env = append(w.env, "XDG_DATA_DIRS="+share) // where fish looks
	check := func(t *testing.T, got []string) {
		t.Helper()
		var want []string
		for _, c := range completions(id) {
			want = append(want, c[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	// The completed line becomes an argument of printf before it is entered.
	typed := func(home, end string) []string {
		var lines []string
		for _, c := range completions(id) {
			lines = append(lines, c[0]+"\t"+home+"printf '%s\\n' 'RESULT "+end+"'")
		}
		return lines
	}
	t.Run("bash", func(t *testing.T) {
		needs(t, "bash")
		setup := []string{"PS1=", "bind 'set enable-bracketed-paste off'", ". " + share + "/bash-completion/completions/quire-ci"}
		check(t, w.typeInto(t, "bash --norc --noprofile -i", append(setup, typed("\x01", "\x05")...)))
	})
	t.Run("zsh", func(t *testing.T) {
		needs(t, "zsh")
		setup := []string{"PS1=; unsetopt prompt_cr prompt_sp beep; bindkey -e", "fpath=(" + share + "/zsh/site-functions $fpath)", "autoload -Uz compinit && compinit -u -D"}
		check(t, w.typeInto(t, "zsh -f -i", append(setup, typed("\x01", "\x05")...)))
	})
	t.Run("fish", func(t *testing.T) {
		needs(t, "fish")
		var got []string
		for _, c := range completions(id) {
			out := w.sh(t, "", fmt.Sprintf("fish -c 'complete -C \"%s\"' | cut -f 1", c[0]))
			before := c[0][:strings.LastIndex(c[0], " ")+1]
			got = append(got, before+strings.TrimRight(out, "/\n"))
		}
		check(t, got)
	})
}

// oddJobs are names of jobs that a shell would not read as one word, with the keys that
// complete them.
var oddJobs = [][2]string{
	{"\\$", "$(touch pwned)"},
	{"'$", "$(touch pwned)"},
	{"tw", "two words"},
	{"'tw", "two words"},
	{"\"tw", "two words"},
	{"two\\ w", "two words"},
	{"it", `it's "q"`},
	{"\"it", `it's "q"`},
	{"'it", `it's "q"`},
	{"\\;", ";touch pwned"},
	{"gl", "glob*[x]?"},
	{"\\!", "!bang"},
	{"\\~", "~tilde"},
	{"b", `b\ack`},
	{"a@", "a@b:c=d"},
	{"a@b:c=", "a@b:c=d"},
}

// TestCompletionQuotes checks that a completed name is one word of the shell and equals
// the name, whatever its characters and the open quote.
func TestCompletionQuotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "completion")
	share := filepath.Join(prefix, "share")
	w.env = append(w.env, "XDG_DATA_DIRS="+share)
	var pipeline strings.Builder
	for _, job := range oddJobs {
		if quoted := fmt.Sprintf("(job %q [:quire/push] #nil)\n", job[1]); !strings.Contains(pipeline.String(), quoted) {
			pipeline.WriteString(quoted)
		}
	}
	w.sh(t, "", "mkdir -p odd/.quire; cat >odd/.quire/ci.fnl <<'EOF'\n(local {: job} (require :quire.ci))\n"+pipeline.String()+"EOF")
	const line = "quire-ci run --workspace odd --job "
	check := func(t *testing.T, got []string) {
		t.Helper()
		var want []string
		for _, job := range oddJobs {
			want = append(want, job[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "pwned")); err == nil {
			t.Error("the name of a job was run")
		}
	}
	// The completed line becomes the arguments of the function last, and is entered.
	var typed []string
	for _, job := range oddJobs {
		typed = append(typed, line+job[0]+"\t\x01last \x05")
	}
	bash := []string{"PS1=", "bind 'set enable-bracketed-paste off'", `last() { printf 'RESULT %s\n' "${@: -1}"; }`}
	for name, setup := range map[string][]string{
		"bash":                      bash,
		"bash with bash-completion": append(bash, ". /usr/share/bash-completion/bash_completion"),
	} {
		t.Run(name, func(t *testing.T) {
			needs(t, "bash")
			if _, err := os.Stat("/usr/share/bash-completion/bash_completion"); err != nil && len(setup) > len(bash) {
				t.Skip("bash-completion is not installed")
			}
			setup = append(slices.Clip(setup), ". "+share+"/bash-completion/completions/quire-ci")
			check(t, w.typeInto(t, "bash --norc --noprofile -i", append(setup, typed...)))
		})
	}
	t.Run("zsh", func(t *testing.T) {
		needs(t, "zsh")
		setup := []string{"PS1=; unsetopt prompt_cr prompt_sp beep; bindkey -e", "fpath=(" + share + "/zsh/site-functions $fpath)",
			"autoload -Uz compinit && compinit -u -D", `last() { printf 'RESULT %s\n' "${@[-1]}" }`}
		check(t, w.typeInto(t, "zsh -f -i", append(setup, typed...)))
	})
	t.Run("fish", func(t *testing.T) {
		needs(t, "fish")
		var got []string
		for _, job := range oddJobs {
			// fish inserts what complete --escape prints.
			cmd := exec.Command("fish", "-c", `set word (complete --escape -C $argv[1] | cut -f 1); eval "printf '%s\n' $word"`, line+job[0])
			cmd.Dir, cmd.Env = w.dir, w.env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got = append(got, strings.TrimSuffix(string(out), "\n"))
		}
		check(t, got)
	})
}
