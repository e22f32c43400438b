package runlog

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var entryForm = regexp.MustCompile(`(?s)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)$`)

// entries returns the lines of a log without their times, and what each stream
// printed, put together again.
func entries(t *testing.T, path string) (lines []string, streams map[string]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	streams = map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		m := entryForm.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("%q is no entry", line)
		}
		if len(m[3]) > MaxEntry {
			t.Errorf("an entry of %d bytes", len(m[3]))
		}
		lines = append(lines, m[1]+" "+m[2]+" "+m[3])
		streams[m[1]] += m[3]
		if m[2] == "F" {
			streams[m[1]] += "\n"
		}
	}
	return lines, streams
}

func TestLog(t *testing.T) {
	type write struct{ stream, text string }
	k16 := strings.Repeat("x", MaxEntry)
	tests := map[string]struct {
		writes []write
		want   []string
	}{
		"lines":        {[]write{{"stdout", "one\ntwo\n"}}, []string{"stdout F one", "stdout F two"}},
		"in pieces":    {[]write{{"stdout", "o"}, {"stdout", "ne\ntw"}, {"stdout", "o\n"}}, []string{"stdout F one", "stdout F two"}},
		"empty line":   {[]write{{"stdout", "\n\n"}}, []string{"stdout F ", "stdout F "}},
		"two streams":  {[]write{{"stdout", "o"}, {"stderr", "e\n"}, {"stdout", "\n"}}, []string{"stderr F e", "stdout F o"}},
		"no newline":   {[]write{{"stdout", "one\ntwo"}}, []string{"stdout F one", "stdout P two"}},
		"bytes":        {[]write{{"stderr", "a\x00\xff\r\n"}}, []string{"stderr F a\x00\xff\r"}},
		"at the bound": {[]write{{"stdout", k16}, {"stdout", "\n"}}, []string{"stdout F " + k16}},
		"above it":     {[]write{{"stdout", k16 + "y\n"}}, []string{"stdout P " + k16, "stdout F y"}},
		"far above":    {[]write{{"stdout", k16 + k16 + "y"}}, []string{"stdout P " + k16, "stdout P " + k16, "stdout P y"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jobs", "a", "sh-1.log")
			log, err := CreateLog(path, 0)
			if err != nil {
				t.Fatal(err)
			}
			streams := map[string]io.Writer{"stdout": log.Stream("stdout"), "stderr": log.Stream("stderr")}
			printed := map[string]string{}
			for _, w := range tt.writes {
				io.WriteString(streams[w.stream], w.text)
				printed[w.stream] += w.text
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			lines, again := entries(t, path)
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(printed, again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCreateLogRefusesExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sh-1.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateLog(path, 0); err == nil {
		t.Error("an existing log was opened")
	}
}

// A log that is made only when it is needed has no file before, and the same after.
func TestNewLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs", "a", "sh-1.log")
	silent := NewLog(path, 0)
	io.WriteString(silent.Stream("stdout"), "")
	if err := silent.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a log without an entry left something behind: %v", err)
	}
	log := NewLog(path, 0)
	io.WriteString(log.Stream("stdout"), "one\ntwo\n")
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	got, _ := entries(t, path)
	if diff := cmp.Diff([]string{"stdout F one", "stdout F two"}, got); diff != "" {
		t.Error(diff)
	}
	again := NewLog(path, 0)
	io.WriteString(again.Stream("stdout"), "one\n")
	if err := again.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an existing log was opened: %v", err)
	}
}

// FuzzLines checks that the output of Lines is its input.
func FuzzLines(f *testing.F) {
	f.Add("one\ntwo\n\nthree", 2)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var out bytes.Buffer
		lines := Lines{Emit: func(text []byte, full bool) {
			out.Write(text)
			if full {
				out.WriteByte('\n')
			}
		}}
		cut = max(1, cut%100)
		for rest := []byte(text); len(rest) > 0; {
			n := min(cut, len(rest))
			lines.Write(rest[:n])
			rest = rest[n:]
		}
		lines.Flush()
		if out.String() != text {
			t.Errorf("%q came out as %q", text, out.String())
		}
	})
}
