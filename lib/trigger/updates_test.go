package trigger

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	one  = strings.Repeat("1", 40)
	two  = strings.Repeat("2", 40)
	zero = strings.Repeat("0", 40)
	long = strings.Repeat("a", 64)
)

func TestReadUpdates(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     []Update
		err      string
	}{
		{"nothing", "", nil, ""},
		{"one", one + " " + two + " refs/heads/main\n", []Update{{one, two, "refs/heads/main"}}, ""},
		{"no newline at the end", one + " " + two + " refs/heads/main", []Update{{one, two, "refs/heads/main"}}, ""},
		{"SHA-256", long + " " + long + " refs/tags/v1\n", []Update{{long, long, "refs/tags/v1"}}, ""},
		{"odd ref", zero + " " + two + " refs/heads/a'\"$(b)|é#%\n", []Update{{zero, two, "refs/heads/a'\"$(b)|é#%"}}, ""},
		{"junk between", "junk\n" + one + " " + two + " refs/x\n\n", []Update{{one, two, "refs/x"}},
			"standard input line 1: want '<old> <new> <ref>'\nstandard input line 3: want '<old> <new> <ref>'"},
		{"mixed hashes", one + " " + long + " refs/x\n", nil,
			"standard input line 1: want two object ids of 40 or 64 hexadecimal digits"},
		{"upper case", strings.ToUpper(long) + " " + long + " refs/x\n", nil,
			"standard input line 1: want two object ids of 40 or 64 hexadecimal digits"},
		{"space in ref", one + " " + two + " refs/heads/a b\n", nil,
			"standard input line 1: want a full ref name, not 'refs/heads/a b'"},
		{"short ref", one + " " + two + " main\n", nil, "standard input line 1: want a full ref name, not 'main'"},
		{"endless line", strings.Repeat("x", maxLine+1), nil, "cannot read standard input: bufio.Scanner: token too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadUpdates(strings.NewReader(test.in))
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.err, message); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUpdateDeleted(t *testing.T) {
	if !(Update{one, zero, "refs/x"}).deleted() || (Update{zero, one, "refs/x"}).deleted() {
		t.Error("only a new id of zeros deletes")
	}
}

func FuzzReadUpdates(f *testing.F) {
	f.Add(one + " " + two + " refs/heads/main\njunk\n")
	f.Fuzz(func(t *testing.T, in string) {
		updates, _ := ReadUpdates(strings.NewReader(in))
		for _, u := range updates {
			line := u.Old + " " + u.New + " " + u.Ref
			if !strings.Contains(in, line) {
				t.Errorf("%q is not in the input", line)
			}
		}
	})
}
