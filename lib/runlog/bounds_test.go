package runlog

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Reading the records of a job, whatever they are, uses limited time and memory.
func TestHostileRecords(t *testing.T) {
	begin := `{"event":"run-start","version":1,"jobs":[{"id":"a","inputs":[]}]}` + "\n"
	sparse := func(head string, size int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, size); err != nil {
				t.Skip(err)
			}
		}
	}
	repeated := func(line string, size int) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			text := begin + strings.Repeat(line, size/len(line))
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := map[string]func(*testing.T, string){
		"one line of 4 TB":    sparse(begin, 4<<40),
		"nothing but 4 TB":    sparse("", 4<<40),
		"jobs without number": repeated(`{"event":"job-start","job":"a","jobs":[`+strings.Repeat("{},", 1<<20)+`{}]}`+"\n", 6<<20),
		"commands":            repeated(`{"event":"sh-start","job":"a","cmd":"x"}`+"\n", 8<<20),
		"long lines":          repeated(strings.Repeat("x", 8<<20)+"\n", 16<<20),
		"short lines":         repeated("\n", 2<<20),
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, EventsFile))
			bounded(t, "Summarize", 200<<20, func() any { jobs, _ := Summarize(dir); return jobs })
			bounded(t, "FirstAndLast", 200<<20, func() any { first, last, _ := FirstAndLast(dir); return []Event{first, last} })
			bounded(t, "Tail", 200<<20, func() any { lines, _ := Tail(dir, EventsFile, 10); return lines })
		})
	}
}

// bounded fails if the result of f or the heap while f runs has more than most bytes, or
// if f takes long.
func bounded(t *testing.T, name string, most uint64, f func() any) {
	t.Helper()
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, peak := time.Now(), uint64(0)
	done := make(chan any)
	go func() { done <- f() }()
	for {
		select {
		case result := <-done:
			if peak > before.HeapAlloc+most {
				t.Errorf("%s took %d MiB", name, (peak-before.HeapAlloc)>>20)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("%s took %v", name, took)
			}
			runtime.KeepAlive(result)
			return
		case <-time.After(5 * time.Millisecond):
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
}

// Tail returns lines as a terminal would show them, however the entries cut them.
func TestTail(t *testing.T) {
	tests := map[string]struct {
		entries string
		want    []string
	}{
		"lines":        {"T stdout F one\nT stderr F two\n", []string{"one", "two"}},
		"dots":         {"T stdout P .\nT stdout P .\nT stdout F .\nT stderr F error\n", []string{"...", "error"}},
		"streams":      {"T stdout P .\nT stderr F error\nT stdout F .\n", []string{"error", ".."}},
		"no end":       {"T stdout F one\nT stdout P tw", []string{"one", "tw"}},
		"no newline":   {"T stdout F one\nT stdout P two\n", []string{"one", "two"}},
		"progress bar": {"T stdout F  10%\r 50%\r100%\r\n", []string{"100%"}},
		"last ones":    {strings.Repeat("T stdout F x\n", 50), []string{"x", "x", "x"}},
		"no entries":   {"junk\nT\nT stdout F one\n", []string{"one"}},
		"empty":        {"", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "log"), []byte(tt.entries), 0o600); err != nil {
				t.Fatal(err)
			}
			most := 10
			if name == "last ones" {
				most = 3
			}
			got, err := Tail(dir, "log", most)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// A log that exceeds its limit is read only up to a limit.
func TestTailOfHugeLog(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(4 << 40); err != nil {
		t.Skip(err)
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	f.Write(append([]byte("\nT stdout F "), append(bytes.Repeat([]byte("y"), 1000), '\n')...))
	got, err := Tail(dir, "log", 5)
	if err != nil || len(got) != 1 || got[0] != strings.Repeat("y", 1000) {
		t.Errorf("%d lines, %v", len(got), err)
	}
}
