package runlog

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shellForms returns s as the inside of a word that a shell has quoted, as shells do
// under set -x and for printf %q, ${S@Q}, export -p and declare -p. In a UTF-8 locale
// letters are unchanged, in the locale C only ASCII letters.
func shellForms(s string) []string {
	out := append(singleQuoted(s), doubleQuoted(s))
	for _, ascii := range []bool{false, true} {
		for _, set := range backslashed {
			out = append(out, set.quote(s, ascii))
		}
		for _, style := range []ansiStyle{{escape: `\E`}, {escape: `\033`}, {escape: `\e`}, {escape: `\033`, bang: true}, {zsh: true}} {
			out = append(out, style.quote(s, ascii))
		}
	}
	return out
}

// singleQuoted returns the possible texts of s between single quotes. They differ in how a
// quote in s is written: bash closes the word and writes \', zsh does so for a run of
// quotes, dash writes "'" for a run of them, Python's shlex for each quote, and Git escapes
// '!' too. Shells omit empty words at the ends, so quotes there are ignored.
func singleQuoted(s string) []string {
	backslash := strings.ReplaceAll(s, "'", `'\''`)
	out := []string{
		backslash,
		strings.ReplaceAll(s, "'", `'"'"'`),
		strings.ReplaceAll(backslash, "!", `'\!'`),
		replaceQuoteRuns(s, func(run string) string { return `'"` + run + `"'` }),
		replaceQuoteRuns(s, func(run string) string {
			return "'" + strings.Repeat(`\'`, len(run)) + "'"
		}),
	}
	for i, form := range out {
		if strings.HasPrefix(s, "'") {
			form = strings.TrimPrefix(form, "'")
		}
		if strings.HasSuffix(s, "'") {
			form = strings.TrimSuffix(form, "'")
		}
		out[i] = form
	}
	return out
}

// replaceQuoteRuns replaces each run of single quotes in s with what form returns for it.
func replaceQuoteRuns(s string, form func(run string) string) string {
	var b strings.Builder
	for {
		before, _, found := strings.Cut(s, "'")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		s = s[len(before):]
		rest := strings.TrimLeft(s, "'")
		b.WriteString(form(s[:len(s)-len(rest)]))
		s = rest
	}
}

// doubleQuoted returns the text of s between double quotes, as bash's declare -p and
// export -p write it.
func doubleQuoted(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
}

// A backslashSet says before which characters a shell puts a backslash, and before
// which only if they come first.
type backslashSet struct {
	always, first string
	newline       string
	ruby          bool // also before all of ASCII except letters, digits and "-_.,:+/@"
	splices       bool // writes unprintable characters as $'...'
}

var backslashed = []backslashSet{
	{always: " \t'!\"$&()*,;<>?[\\]^`{|}", first: "#~", newline: `$'\n'`}, // bash's %q
	{always: " \t'\"$&()*;<>?[\\]^`{|}", first: "#~", newline: `$'\n'`},   // bash's before 4.3
	{always: " '\"$&()*;<>?[\\]^`{|}#", first: "=~", splices: true},       // zsh's %q
	{always: " !'\"$&()*;<>?[\\]^`{|}#", first: "=~", splices: true},      // zsh's, with history
	{ruby: true, newline: `'` + "\n" + `'`},                               // Ruby's Shellwords
	{always: " \"'`$&|;<>()*?[]{}#~!\\", newline: `\` + "\n"},             // all that means something
}

func (q backslashSet) quote(s string, ascii bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		char := s[i : i+n]
		switch {
		case q.splices && !printable(r, n, ascii):
			for _, c := range []byte(char) {
				b.WriteString(`$'` + ansiStyle{escape: `\033`}.quote(string([]byte{c}), true) + `'`)
			}
		case r == '\n':
			b.WriteString(q.newline)
		case strings.ContainsRune(q.always, r), i == 0 && strings.ContainsRune(q.first, r),
			q.ruby && r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.,:+/@", r):
			b.WriteString(`\` + char)
		default:
			b.WriteString(char)
		}
		i += n
	}
	return b.String()
}

// printable reports whether a shell writes r unchanged; n is its length in bytes.
func printable(r rune, n int, ascii bool) bool {
	return r >= ' ' && r < 0x7f || n > 1 && !ascii && unicode.IsPrint(r)
}

// An ansiStyle is a way of writing unprintable characters between $' and '.
type ansiStyle struct {
	escape string // how the escape character is written
	bang   bool   // '!' is escaped, too
	zsh    bool   // as zsh does under set -x: \C-A for a control character, \M- for the eighth bit
}

// quote returns the text of s between $' and '. With ascii, only ASCII is printable.
func (style ansiStyle) quote(s string, ascii bool) string {
	named := "\a\b\f\n\r\t\v"
	if style.zsh {
		named = "\n\t"
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		char := s[i : i+n]
		switch at := strings.IndexRune(named, r); {
		case at >= 0:
			name := strings.NewReplacer("\a", "a", "\b", "b", "\f", "f", "\n", "n", "\r", "r", "\t", "t", "\v", "v")
			b.WriteString(`\` + name.Replace(char))
		case r == '\\', r == '\'', r == '!' && style.bang:
			b.WriteString(`\` + char)
		case printable(r, n, ascii):
			b.WriteString(char)
		case r == 0x1b && !style.zsh:
			b.WriteString(style.escape)
		default:
			for _, c := range []byte(char) {
				if style.zsh {
					b.WriteString(metaControl(c))
				} else {
					fmt.Fprintf(&b, `\%03o`, c)
				}
			}
		}
		i += n
	}
	return b.String()
}

// metaControl returns c as zsh writes it under set -x.
func metaControl(c byte) string {
	text := ""
	if c >= 0x80 {
		text, c = `\M-`, c&0x7f
	}
	switch {
	case c < ' ':
		return text + `\C-` + string(rune(c|0x40))
	case c == 0x7f:
		return text + `\C-?`
	}
	return text + string(rune(c))
}
