package doctor

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestJudge(t *testing.T) {
	const plenty = 1 << 20
	for _, test := range []struct {
		name, want string
		stat       unix.Statfs_t
	}{
		{"good", "", unix.Statfs_t{Bsize: 4096, Bavail: plenty, Files: plenty, Ffree: plenty}},
		{"without a bound of files", "", unix.Statfs_t{Bsize: 4096, Bavail: plenty}},
		{"full", "has only 3 MiB free", unix.Statfs_t{Bsize: 4096, Bavail: 1023}},
		{"full of files", "has room for only 7 more files", unix.Statfs_t{Bsize: 4096, Bavail: plenty, Files: plenty, Ffree: 7}},
		{"read-only", "is on a file system that is read-only", unix.Statfs_t{Flags: unix.ST_RDONLY}},
		{"noexec", "is mounted noexec: jobs cannot run what is in their workspace", unix.Statfs_t{Flags: unix.ST_NOEXEC}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wrong, mend := judge(test.stat)
			if wrong != test.want || (mend == "") != (wrong == "") {
				t.Errorf("got %q, %q", wrong, mend)
			}
		})
	}
}

// A quoted word is printable, and is for the shell what it was.
func TestQuote(t *testing.T) {
	for _, word := range []string{"/a/b.git", "a b", "it's", "-n", "", "a\nb\tc", "\x1b[2J", "\xff'%s\\n", "\u009b", "ä", "$(id)`id`"} {
		quoted := quote(word)
		for _, r := range quoted {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q is quoted as %q", word, quoted)
			}
		}
		out, err := exec.Command("sh", "-c", "printf %s "+quoted).Output()
		if err != nil || string(out) != word {
			t.Errorf("the shell reads %s as %q, %v, want %q", quoted, out, err, word)
		}
	}
}
