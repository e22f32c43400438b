package direct

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTree(t *testing.T) {
	id := strings.Repeat("\xab", 20)
	hex := strings.Repeat("ab", 20)
	tests := []struct {
		name, data string
		want       []Entry
		err        string
	}{
		{"empty", "", []Entry{}, ""},
		{"two", "100644 a\x00" + id + "40000 ../b\x00" + id,
			[]Entry{{"a", ModeFile, hex}, {"../b", ModeTree, hex}}, ""},
		{"no mode", "100644", nil, "malformed tree: no mode"},
		{"mode", "10064x a\x00" + id, nil, "malformed tree: mode '10064x'"},
		{"huge mode", "777777777777 a\x00" + id, nil, "malformed tree: mode '777777777777'"},
		{"no name", "100644 a", nil, "malformed tree: cut short"},
		{"short id", "100644 a\x00" + id[1:], nil, "malformed tree: cut short"},
	}
	for _, tt := range tests {
		got, err := ParseTree(hex, []byte(tt.data))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != "cannot read tree "+hex+": "+tt.err {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x00"+strings.Repeat("\xab", 20)), true)
	f.Add([]byte("40000 dir\x00"+strings.Repeat("\x00", 32)), false)
	f.Fuzz(func(t *testing.T, data []byte, sha1 bool) {
		size := 32
		if sha1 {
			size = 20
		}
		entries, err := ParseTree(strings.Repeat("ab", size), data)
		if err != nil {
			return
		}
		total := 0
		for _, e := range entries {
			total += len(e.Name) + size + len("0 \x00")
			if len(e.OID) != 2*size || strings.Contains(e.Name, "\x00") {
				t.Errorf("entry %+v", e)
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes of entries in %d", total, len(data))
		}
	})
}
