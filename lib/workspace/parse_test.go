package workspace

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttributePatterns(t *testing.T) {
	runs := func(name string) (bool, error) { return name == "real", nil }
	tests := []struct {
		name, text string
		match      string // names that may be meant
		pass       string // names that are not
	}{
		{"none", "# eol=crlf\n\n*.c diff=cpp\n*.bin binary\n* text=auto\n", "", "a.c a.bin crlf"},
		{"suffix", "*.bat text eol=crlf\n", "a.bat .bat A.BAT", "a.c bat"},
		{"name", "/dir/Makefile ident\n", "Makefile MAKEFILE", "a"},
		{"below", "dir/**/*.x working-tree-encoding=UTF-16\n", "a.x", "a.y"},
		{"filter", "*.r filter=real\n*.u filter=unknown\n", "a.r", "a.u"},
		{"all", "* eol=crlf\n", "a b", ""},
		{"stars at the end", "dir/** eol=crlf\n", "a", ""},
		{"bracket", "[ab].c eol=crlf\n", "a.c z", ""},
		{"quoted", "\"a b\" eol=crlf\n", "z", ""},
		{"escaped", "a\\*b eol=crlf\n", "z", ""},
		{"question", "a?.c eol=crlf\n", "ab.c", "z"},
		{"macro", "[attr]dos eol=crlf\n", "z", ""},
		{"blank in front", " \t*.bat\teol=crlf\r\n", "a.bat", "z"},
		{"byte order mark", "\xef\xbb\xbf*.bat eol=crlf\n", "a.bat", "z"},
		{"no line break", "*.bat eol=crlf", "a.bat", "z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &patterns{}
			if err := p.add([]byte(tt.text), runs); err != nil {
				t.Fatal(err)
			}
			for _, name := range strings.Fields(tt.match) {
				if !p.match(name) {
					t.Errorf("%s does not match", name)
				}
			}
			for _, name := range strings.Fields(tt.pass) {
				if p.match(name) {
					t.Errorf("%s matches", name)
				}
			}
		})
	}
}

func TestParseRecord(t *testing.T) {
	text := recordHeader + "abc 1 2 3 4 a b\nc\x00def 5 6 7 -8 \xff\x00"
	got, err := parseRecord(text)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]stamp{"a b\nc": {"abc", 1, 2, 3, 4}, "\xff": {"def", 5, 6, 7, -8}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(stamp{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "x", "quire-record 2\n", recordHeader + "a", recordHeader + "a 1 2 3\x00", recordHeader + "a x 2 3 4 p\x00"} {
		if _, err := parseRecord(bad); err == nil {
			t.Errorf("%q is a record", bad)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(recordHeader + "abc 1 2 3 4 a b\nc\x00")
	f.Add(recordHeader)
	f.Fuzz(func(t *testing.T, text string) {
		stamps, err := parseRecord(text)
		if err == nil && len(stamps) > strings.Count(text, "\x00") {
			t.Errorf("%d stamps", len(stamps))
		}
	})
}
