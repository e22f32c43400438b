package text

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTerminal(t *testing.T) {
	long := "\x1b[" + strings.Repeat("0", maxColour) + "m"
	for _, test := range []struct{ name, text, want string }{
		{"text", "a line\tof text\r\nüber ✓\n", "a line\tof text\r\nüber ✓\n"},
		{"colours", "\x1b[1;31mred\x1b[m \x1b[38:5:9mred\x1b[0m\n", "\x1b[1;31mred\x1b[m \x1b[38:5:9mred\x1b[0m\n"},
		{"title", "\x1b]0;gone\a\n", "?]0;gone?\n"},
		{"clipboard", "\x1b]52;c;ZXZpbA==\x1b\\\n", "?]52;c;ZXZpbA==?\\\n"},
		{"cursor", "\x1b[2J\x1b[1A\b", "?[2J?[1A?"},
		{"private", "\x1b[?25l\x1b[>4;2m", "?[?25l?[>4;2m"},
		{"reset", "\x1bc\x1b\x1b[m", "?c?\x1b[m"},
		{"longer than any colour", long, "?" + long[1:]},
		{"eight bits", "a\u009b2Jb \x9b2J \xff\x7f", "a?2Jb ?2J ??"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for size := range len(test.text) { // pieces of this and one more byte
				var out strings.Builder
				w := Terminal(&out)
				for text := test.text; text != ""; {
					n := min(size+1, len(text))
					if _, err := w.Write([]byte(text[:n])); err != nil {
						t.Fatal(err)
					}
					text = text[n:]
				}
				if diff := cmp.Diff(test.want, out.String()); diff != "" {
					t.Fatalf("in pieces of %d bytes: %s", size+1, diff)
				}
			}
		})
	}
}
