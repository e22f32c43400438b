package workspace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
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

func TestRecord(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	stat := func(inode uint64, changed int64) *unix.Stat_t {
		return &unix.Stat_t{Ino: inode, Size: 3, Mtim: unix.NsecToTimespec(4), Ctim: unix.NsecToTimespec(changed)}
	}
	p := &plan{dirs: []dir{{oid: a}, {}}, files: []file{{oid: b}, {oid: a}}}
	r := newRecorder(p)
	r.dirs[0], r.dirs[1], r.files[0] = newStamp(stat(1, 5)), newStamp(stat(2, 5)), newStamp(stat(1<<63, 6))
	name := filepath.Join(t.TempDir(), "record")
	if err := r.save(name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		text    string
		written int64
		stat    *unix.Stat_t
		want    string
	}{
		{"a directory", string(text), 9, stat(1, 5), a},
		{"a file", string(text), 9, stat(1<<63, 6), b},
		{"what has no object", string(text), 9, stat(2, 5), ""},
		{"not recorded", string(text), 9, stat(3, 5), ""},
		{"changed since", string(text), 9, stat(1, 6), ""},
		{"changed as late as the record", string(text), 5, stat(1, 5), ""},
		{"empty", "", 9, stat(1, 5), ""},
		{"another header", "x" + string(text), 9, stat(1, 5), ""},
		{"cut short", string(text[:len(text)-1]), 9, stat(1, 5), ""},
		{"cut to a line", string(text[:len(text)-stampLength-42]) + "\n", 9, stat(1, 5), a},
		{"no number", recordHeader + strings.Repeat("x", stampLength) + a + "\n\n", 9, stat(1, 5), ""},
	} {
		r := parseRecord([]byte(tt.text))
		r.written = tt.written
		if got := r.oid(tt.stat); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(recordHeader+strings.Repeat("0000000000000001 ", 4)+"abc\n"), uint64(1))
	f.Add([]byte(recordHeader+strings.Repeat("0000000000000001 ", 4)+"abc\n\ntree 3\x00abctree 9\x00"), uint64(1))
	f.Add([]byte(recordHeader), uint64(0))
	f.Fuzz(func(t *testing.T, text []byte, inode uint64) {
		r := parseRecord(text)
		r.written = 1
		if oid := r.oid(&unix.Stat_t{Ino: inode}); oid != "" && !strings.Contains(string(text), oid) {
			t.Errorf("an id from nowhere: %q", oid)
		}
		for oid := range r.trees {
			again := parseTrees(r.trees.append(nil), oid)
			if diff := cmp.Diff(r.trees, again); diff != "" {
				t.Errorf("trees written and read: %s", diff)
			}
			break // any id: all are as long
		}
	})
}
