package runlog

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shellEncoders print the exported variable S. Each runs in a loop over all values.
var shellEncoders = map[string][]string{
	"bash %q":        {"bash", `printf %q "$S"`},
	"bash @Q":        {"bash", `printf %s "${S@Q}"`},
	"bash set -x":    {"bash", `(set -x; : "$S")`},
	"bash export -p": {"bash", `(unset A PATH PWD SHLVL _ HOME OLDPWD LC_ALL; export -p)`},
	"bash declare":   {"bash", `declare -p S`},
	"dash set -x":    {"dash", `(set -x; : "$S")`},
	"dash export -p": {"dash", `(unset PATH PWD HOME LC_ALL OLDPWD; export -p)`},
	"busybox set -x": {"busybox ash", `(set -x; : "$S")`},
	"zsh %q":         {"zsh", `printf %q "$S"`},
	"zsh (q)":        {"zsh", `print -rn -- ${(q)S}`},
	"zsh (qq)":       {"zsh", `print -rn -- ${(qq)S}`},
	"zsh (qqq)":      {"zsh", `print -rn -- ${(qqq)S}`},
	"zsh (qqqq)":     {"zsh", `print -rn -- ${(qqqq)S}`},
	"zsh (q+)":       {"zsh", `print -rn -- ${(q+)S}`},
	"zsh set -x":     {"zsh", `(set -x; : "$S")`},
	"zsh typeset":    {"zsh", `typeset -p S`},
	"echo unquoted":  {"bash", `set -f; echo $S`},
	"openssl":        {"sh", `printf 'xy%s\n' "$S" | openssl base64`},
	"base64 -w 20":   {"sh", `printf 'x%s\n' "$S" | base64 -w 20`},
	"xxd -p":         {"sh", `printf 'x%s' "$S" | xxd -p`},
	"xxd -p -u -c 7": {"sh", `printf '%s' "$S" | xxd -p -u -c 7`},
}

// otherEncoders are programs that print all their operands, each followed by U+001E.
var otherEncoders = map[string][]string{
	"python json":    python(`json.dumps(s)`),
	"python utf8":    python(`json.dumps(s, ensure_ascii=False)`),
	"python quote":   python(`u.quote(s)`),
	"python all":     python(`u.quote(s, safe='')`),
	"python plus":    python(`u.quote_plus(s)`),
	"python form":    python(`u.quote_plus(s, safe='*-._').replace('~', '%7E')`),
	"python shlex":   python(`shlex.quote(s)`),
	"python base64":  python(`base64.encodebytes(b'a header: ' + s.encode() + b' and').decode()`),
	"python urlsafe": python(`base64.urlsafe_b64encode(b'x' + s.encode()).decode()`),
	"python hex":     python(`s.encode().hex().upper()`),
	"perl uri":       perl(`s/([^A-Za-z0-9\-._~])/sprintf("%%%02x",ord $1)/ger`),
	"perl base64":    perl(`encode_base64("ab${_}c")`),
	"perl json":      perl(`do { my $s = $_; utf8::decode($s); JSON::PP->new->allow_nonref->ascii->encode($s) }`),
	"perl escaped":   perl(`do { my $s = JSON::PP->new->allow_nonref->encode($_); $s =~ s|/|\\/|g; $s }`),
	"jq":             jq(`tojson`),
	"jq @uri":        jq(`@uri`),
	"jq @sh":         jq(`@sh`),
	"jq @base64":     jq(`@base64`),
	"node json":      node(`JSON.stringify(s)`),
	"node uri":       node(`encodeURIComponent(s)`),
	"node form":      node(`new URLSearchParams({s}).toString().slice(2)`),
}

func python(expr string) []string {
	return []string{"python3", "-c", "import sys, json, shlex, base64, urllib.parse as u\nfor s in sys.argv[1:]: print(" + expr + ", end='\\x1e')"}
}

func perl(expr string) []string {
	return []string{"perl", "-MMIME::Base64", "-MJSON::PP", "-e", `print(` + expr + `, "\x1e") for @ARGV`}
}

func jq(expr string) []string {
	return []string{"jq", "-nj", "$ARGS.positional[] | (" + expr + `, "\u001e")`, "--args"}
}

func node(expr string) []string {
	return []string{"node", "-e", `for (const s of process.argv.slice(1)) process.stdout.write(` + expr + ` + "\x1e")`, "--"}
}

// values have what encoders treat in different ways, once each in the middle and at
// the ends.
var values = map[string]string{
	"token":      "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
	"slashes":    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY~09==",
	"object":     `{"user":"u1","key":"some,comma-value"}`,
	"hash":       "a b#c-hash and more",
	"first hash": "#hash~tilde comes first",
	"tilde":      "~tilde:~=~comes first",
	"equals":     "=equals comes=first",
	"caret":      "x^caret-and-more",
	"dollar":     "p w$dollar`accent\\back\"double",
	"quotes":     "it's ''two'' and 'that'",
	"quoted":     "'within single quotes'",
	"double":     `"within double quotes"`,
	"blanks":     "  blanks   around \t",
	"percent":    "100%25 of it + more & <tags> [x] {y} (z)! *?|;",
	"accents":    "contraseña-ñ",
	"wide":       "пароль 密码 🔑 key",
	"lines":      "first line it's here\nsecond-line-of-it\n",
	"tabs":       "tab\there and\tthere",
	"escape":     "bell\aescape\x1b[31mred\x7f and form\ffeed",
	"long":       strings.Repeat("0123456789abcdef+/", 20),
}

// afterMarks matches what may be left of a secret's output: quotes, names, blanks, and
// up to two digits of base64 on each side, with the text that was encoded around it.
var afterMarks = regexp.MustCompile(`^[^{}]{0,24}\{\{ s \}\}([ \n]*\{\{ s \}\})*[^{}]{0,20}$`)

// A secret in the output of the usual encoders is redacted, in UTF-8 and in the locale C,
// wherever the output is split.
func TestRedactorEncoders(t *testing.T) {
	for name, e := range shellEncoders {
		argv := append(strings.Fields(e[0]), "-c", `export S; for S; do `+e[1]+`; printf '\036'; done 2>&1`, "test")
		for _, locale := range []string{"C", "C.UTF-8"} {
			t.Run(name+" in "+locale, func(t *testing.T) { tryEncoder(t, argv, locale) })
		}
	}
	for name, argv := range otherEncoders {
		t.Run(name, func(t *testing.T) { tryEncoder(t, argv, "C.UTF-8") })
	}
}

func tryEncoder(t *testing.T, argv []string, locale string) {
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		argv = append(argv, values[name])
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=" + locale}
	text, err := cmd.Output()
	if err != nil {
		t.Skipf("%s does not work: %v", argv[0], err)
	}
	pieces := bytes.Split(text, []byte("\x1e"))
	if len(pieces) != len(names)+1 {
		t.Fatalf("%d texts of %d values: %q", len(pieces), len(names), text)
	}
	for i, name := range names {
		checkRedacted(t, name, NewRedactor(map[string]string{"s": values[name]}), pieces[i])
	}
}

func checkRedacted(t *testing.T, name string, r *Redactor, text []byte) {
	t.Helper()
	want := r.String(string(text))
	if !afterMarks.MatchString(strings.TrimPrefix(strings.TrimSpace(want), "+zsh:1> ")) {
		t.Errorf("%s: %q became %q", name, text, want)
	}
	for at := range text {
		var out bytes.Buffer
		w := r.Writer(&out)
		w.Write(text[:at])
		w.Write(text[at:])
		w.Flush()
		if out.String() != want {
			t.Fatalf("%s: split at %d: %q, want %q", name, at, out.String(), want)
		}
	}
}
