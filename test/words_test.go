package test

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	commandEnd = regexp.MustCompile(`\|\|?|&&|[;\n()` + "`" + `]`)
	comment    = regexp.MustCompile(`(?m)(^|\s)#.*`)
	anOption   = regexp.MustCompile(`(^|[\s[|(])(--?[a-z][-a-z]*)`)
)

// misused returns the errors in the calls of quire's commands in a text: subcommands and
// options that are not in their usage.
func misused(t *testing.T, text string) (problems []string) {
	t.Helper()
	text = comment.ReplaceAllString(text, "")
	for _, simple := range commandEnd.Split(text, -1) {
		words := strings.Fields(simple)
		at := slices.IndexFunc(words, func(w string) bool { return slices.Contains(commands(t), w) })
		if at < 0 {
			continue
		}
		name := words[at]
		known := usageOptions(t, name)
		sub := ""
		for _, word := range words[at+1:] {
			option, _, _ := strings.Cut(word, "=")
			switch {
			case word == "--":
			case strings.HasPrefix(word, "-") && len(word) > 1:
				if !slices.Contains(known, option) {
					problems = append(problems, strings.TrimSpace(name+" "+sub)+" has no option "+option)
				}
				continue
			case sub == "" && slices.Contains(subcommands(t, name), word):
				sub = word
				known = append(slices.Clone(known), usageOptions(t, name, sub)...)
				continue
			case sub == "" && len(subcommands(t, name)) > 0 && !strings.HasPrefix(words[at+1], "-"):
				problems = append(problems, name+" has no subcommand "+word)
			default:
				continue
			}
			break
		}
	}
	return problems
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"make install; quire-ci run -n --ref x":                      "",
		"* * * * * quire-runstate reconcile | quire-dispatch -w":     "",
		"a && quire-runstate --root=DIR exec --grace 1s ID -- x --y": "",
		"quire-runstate list --stat failed":                          "quire-runstate list has no option --stat",
		"quire-runstate lsit --repo x":                               "quire-runstate has no subcommand lsit",
		"x $(quire-trigger --fail) | quire-dispatch -x":              "quire-trigger has no option --fail; quire-dispatch has no option -x",
	} {
		if got := strings.Join(misused(t, text), "; "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

var usages sync.Map

// usageText returns the output of --help.
func usageText(t *testing.T, call ...string) string {
	t.Helper()
	key := strings.Join(call, " ")
	if text, ok := usages.Load(key); ok {
		return text.(string)
	}
	_, text, _ := runInstalled(t, append(call, "--help"))
	usages.Store(key, text)
	return text
}

// usageOptions returns the options in a usage text.
func usageOptions(t *testing.T, call ...string) []string {
	t.Helper()
	var options []string
	for _, m := range anOption.FindAllStringSubmatch(usageText(t, call...), -1) {
		if !slices.Contains(options, m[2]) {
			options = append(options, m[2])
		}
	}
	return options
}
