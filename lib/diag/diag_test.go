package diag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	for _, test := range []struct {
		name string
		d    Diagnostic
		want string
	}{
		{"file only", Diagnostic{File: "f", Message: "m"}, "f: m\n"},
		{"line only", Diagnostic{File: "f", Line: 3, Message: "m", Source: "x"}, "f:3: m\n"},
		{"caret", Diagnostic{File: "f", Line: 3, Column: 2, Message: "m", Source: "(x)", Hint: "try y"},
			"f:3:2: m\n    (x)\n     ^\n    hint: try y\n"},
		{"tab and escape", Diagnostic{File: "f", Line: 1, Column: 3, Message: "m", Source: "\t\x1bé!"},
			"f:1:3: m\n     ?é!\n      ^\n"},
		{"escapes of the pusher", Diagnostic{File: "\x1b[2Jf\n", Line: 1, Message: "m\r\u009b1m\x9b", Hint: "h\nh\x7f"},
			"?[2Jf :1: m ?1m?\n    hint: h h?\n"},
		{"long message", Diagnostic{File: "f", Message: strings.Repeat("é", maxMessage)}, "f: " + strings.Repeat("é", maxMessage/2) + "...\n"},
		{"column behind the end", Diagnostic{File: "f", Line: 1, Column: 9, Message: "m", Source: "ab"},
			"f:1:9: m\n    ab\n      ^\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.d.Text()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextOfALongLine(t *testing.T) {
	d := Diagnostic{File: "f", Line: 1, Column: 5001, Message: "m", Source: strings.Repeat("a", 5000) + "b" + strings.Repeat("c", 5000)}
	lines := strings.Split(d.Text(), "\n")
	if len(lines[1]) > 4+maxSource {
		t.Errorf("shows %d characters of source", len(lines[1]))
	}
	if caret := strings.Index(lines[2], "^"); lines[1][caret] != 'b' {
		t.Errorf("the caret is under %q", lines[1][caret])
	}
}

func TestSourceLine(t *testing.T) {
	text := []byte("one\r\ntwo\n\nfour")
	for n, want := range map[int]string{0: "", 1: "one", 2: "two", 3: "", 4: "four", 5: ""} {
		if got := SourceLine(text, n); got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
}
