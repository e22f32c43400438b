package runlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes files below dir. A name with an arrow makes a link.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name, to, link := strings.Cut(name, " -> ")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		err := error(nil)
		if link {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"history":                     "ours",
		"out/jobs/a/sh-1.log":         "theirs",
		"out/jobs/b -> a":             "",
		"out/jobs/c -> ../..":         "",
		"out/link -> jobs/a/sh-1.log": "",
		"out/away -> ../history":      "",
		"out/passwd -> /etc/passwd":   "",
		"out/dir/file":                "",
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "out/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(name string) (string, error) {
		f, err := Open(dir, name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		return string(text), err
	}

	// As long as there is no link to it, a directory of this name is nothing special.
	if text, err := open("history"); text != "ours" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
	write(t, dir, map[string]string{"events.jsonl -> out/events.jsonl": ""})
	for _, test := range []struct {
		name, text string
		err        error // nil if the text is read; io.EOF for any error
	}{
		{"jobs/a/sh-1.log", "theirs", nil},
		{"jobs/b/sh-1.log", "theirs", nil},
		{"jobs/a/sh-2.log", "", fs.ErrNotExist},
		{"history", "", fs.ErrNotExist},
		{"link", "", errNotRegular},
		{"away", "", errNotRegular},
		{"passwd", "", errNotRegular},
		{"pipe", "", errNotRegular},
		{"dir", "", errNotRegular},
		{".", "", errNotRegular},
		{"jobs/c/history", "", io.EOF},
		{"../history", "", io.EOF},
		{"/etc/passwd", "", io.EOF},
		{"", "", io.EOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := open(test.name)
			if text != test.text {
				t.Errorf("read %q, want %q", text, test.text)
			}
			if test.err == io.EOF && err == nil || test.err != io.EOF && !errors.Is(err, test.err) {
				t.Errorf("the error is %v, want %v", err, test.err)
			}
		})
	}
}

func TestFirstAndLast(t *testing.T) {
	const begin, end = `{"event":"run-start"}`, `{"event":"run-end","state":"complete"}`
	for _, test := range []struct{ name, text, first, last string }{
		{"empty", "", "", ""},
		{"whole", begin + "\n" + `{"event":"log"}` + "\n" + end + "\n", RunStart, RunEnd},
		{"one", begin + "\n", RunStart, RunStart},
		{"not begun", end, "", ""},
		{"garbage in front", "garbage\n" + end + "\n", "", RunEnd},
		{"garbage behind", begin + "\n" + end + "\ngarbage\n", RunStart, ""},
		{"garbage behind without an end", begin + "\n" + end + "\ngarbage", RunStart, ""},
		{"an empty line behind", begin + "\n" + end + "\n\n", RunStart, ""},
		{"partly right", `{"event":"run-start","sh":"x"}` + "\n", "", ""},
		{"cut", begin + "\n" + end, RunStart, ""},
		{"long", begin + "\n" + strings.Repeat(" ", maxLastEvent) + end + "\n", RunStart, RunEnd},
		{"longer than a line can be", strings.Repeat(" ", maxLine+1) + begin + "\n" + end + "\n", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{EventsFile: test.text})
			first, last, err := FirstAndLast(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.first, test.last}, []string{first.Event, last.Event}); diff != "" {
				t.Error(diff)
			}
		})
	}
	if first, last, err := FirstAndLast(t.TempDir()); first.Event != "" || last.Event != "" || err != nil {
		t.Errorf("of no file: %v, %v, %v", first, last, err)
	}
}

// Reading a file of unlimited size has a limit, and reports it.
func TestSummarizeLarge(t *testing.T) {
	const job = `{"event":"job-start","job":"a"}` + "\n"
	for _, test := range []struct {
		name string
		text string
		size int64
		jobs int
		err  error
	}{
		{"a line too long", job + strings.Repeat(" ", maxLine) + job + job, 0, 1, nil},
		{"no end", job, 1 << 40, 1, errLarge},
		{"many jobs", `{"event":"run-start","jobs":[` + ids(maxRecords+10) + "]}\n" + job, 0, maxRecords, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{EventsFile: test.text})
			if test.size > 0 {
				if err := os.Truncate(filepath.Join(dir, EventsFile), test.size); err != nil {
					t.Fatal(err)
				}
			}
			jobs, err := Summarize(dir)
			if len(jobs) != test.jobs || !errors.Is(err, test.err) {
				t.Errorf("got %d jobs and the error %v, want %d and %v", len(jobs), err, test.jobs, test.err)
			}
		})
	}
}

// ids returns n jobs for the first event.
func ids(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"id":"` + strings.Repeat("x", i%50) + string(rune('a'+i/50%26)) + string(rune(0x4e00+i/1300)) + `"}`)
	}
	return b.String()
}

func TestReadOutput(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"good": `[1,2]`, "bad": `{`, "out -> /etc/passwd": ""})
	for _, test := range []struct {
		name string
		job  JobRecord
		want string
		ok   bool
	}{
		{"none", JobRecord{}, "", true},
		{"in the event", JobRecord{Output: []byte(`"x"`)}, `"x"`, true},
		{"in a file", JobRecord{OutputFile: "good"}, `[1,2]`, true},
		{"no JSON", JobRecord{OutputFile: "bad"}, "", false},
		{"elsewhere", JobRecord{OutputFile: "out"}, "", false},
		{"absent", JobRecord{OutputFile: "none"}, "", false},
		{"too large", JobRecord{Output: []byte(`"xxxxx"`)}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.job.ReadOutput(dir, 5)
			if string(got) != test.want || (err == nil) != test.ok {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}
