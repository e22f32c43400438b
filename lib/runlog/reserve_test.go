package runlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLastWords checks what a log ends with if its disk was full for a while.
func TestLastWords(t *testing.T) {
	long := strings.Repeat("0123456789\n", maxTail)
	for _, test := range []struct{ name, before, after, want string }{
		{"nothing more", "one\ntw", "", "one\ntw\nquire: cannot write this log: no space left on device; output is missing here\n"},
		{"little more", "one\ntw", "o\nfailed: x\n", "one\ntw\nquire: cannot write this log: no space left on device; output is missing here\no\nfailed: x\n"},
		{"much more", "one\n", long + "failed: x\n", "one\n\nquire: cannot write this log: no space left on device; output is missing here\n" +
			(long + "failed: x\n")[len(long)+len("failed: x\n")-maxTail:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			log, err := OpenRunLog(path)
			if err != nil {
				t.Fatal(err)
			}
			log.Write([]byte(test.before))
			log.err = unix.ENOSPC
			for line := range strings.Lines(test.after) {
				log.Write([]byte(line))
			}
			if err := log.Close(); err != nil {
				t.Error(err)
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != test.want {
				t.Errorf("the log is %.300q, want %.300q (%v)", got, test.want, err)
			}
		})
	}
}
