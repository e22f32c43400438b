package text

import (
	"os/exec"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"":                        "",
		"as it is: ü ✓":           "as it is: ü ✓",
		"a\nb\rc\td\r\n":          "a b c d  ",
		"\x1b[2J\a\x00\x7f\u009b": "?[2J????",
		"\xff\x9b2J\ufffd":        "??2J?",
	} {
		if got := Line(s); got != want {
			t.Errorf("Line(%q) is %q, want %q", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		s    string
		most int
		want string
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc..."}, {"aü", 2, "a..."}, {"aüb", 3, "aü..."},
		{"\x80\x80\x80", 2, "..."}, {"✓", 0, "..."},
	} {
		if got := Cut(test.s, test.most); got != test.want {
			t.Errorf("Cut(%q, %d) is %q, want %q", test.s, test.most, got, test.want)
		}
	}
}

// words are hard to quote.
var words = []string{"/a/b.git", "a b", "it's", "-n", "", "a=b", "*?[x]", "~", "#x", "a\\b", "%s", "\x1b[2J",
	"a\nb\tc", "-n\n\"$x", "\xff'%s\\n", "\u009b", "ä", "ä\n1", "$(id)`id`", "'\n'"}

func TestQuote(t *testing.T) {
	for _, quote := range []func(...string) string{Quote, QuoteLine} {
		quoted := quote(words...)
		out, err := exec.Command("sh", "-c", `printf '%s\0' `+quoted).Output()
		if want := strings.Join(words, "\x00") + "\x00"; err != nil || string(out) != want {
			t.Errorf("the shell reads %s as %q, %v, want %q", quoted, out, err, want)
		}
	}
	for _, word := range words {
		if !strings.Contains(word, "'") && !strings.Contains(Quote(word), word) {
			t.Errorf("Quote(%q) is %s: the word cannot be found in it", word, Quote(word))
		}
		if quoted := QuoteLine(word); Line(quoted) != quoted {
			t.Errorf("QuoteLine(%q) is %q", word, quoted)
		}
	}
}

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"":                       "",
		"a b ü ✓ \ufffd":         "a b ü ✓ \ufffd",
		"\t\n\r\\":               `\t\n\r\\`,
		"\x00\x1b\x7f\u009b\xff": `\x00\x1b\x7f\xc2\x9b\xff`,
	} {
		if got := Escape(s); got != want {
			t.Errorf("Escape(%q) is %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{
		`\x2d`: "-", `\`: `\`, `\q`: `\q`, `\x`: `\x`, `\x4`: `\x4`, `\xzz`: `\xzz`, `\\x41`: `\x41`, "-": "-",
	} {
		if got := Unescape(s); got != want {
			t.Errorf("Unescape(%q) is %q, want %q", s, got, want)
		}
	}
	if got := Field("") + Field("-") + Field("a"); got != `-\x2da` {
		t.Errorf("fields %q", got)
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a b\tc\\x41\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, escaped := range []string{Escape(s), EscapeWord(s)} {
			if got := Unescape(escaped); got != s {
				t.Errorf("%q comes back as %q", s, got)
			}
			if Line(escaped) != strings.ReplaceAll(escaped, "\ufffd", "?") {
				t.Errorf("%q: %q", s, escaped)
			}
		}
		if got := Unfield(Field(s)); got != s {
			t.Errorf("field %q comes back as %q", s, got)
		}
		if strings.Contains(EscapeWord(s), " ") {
			t.Errorf("%q: %q", s, EscapeWord(s))
		}
	})
}
