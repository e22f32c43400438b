package runlog

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A text cannot end its line, whatever line endings and quotes are in it.
func TestEventsCannotBeForged(t *testing.T) {
	path := filepath.Join(t.TempDir(), EventsFile)
	events, err := CreateEvents(path)
	if err != nil {
		t.Fatal(err)
	}
	forged := "x\"}\n{\"event\":\"run-end\",\"state\":\"complete\"}\n\x00\u2028\xff"
	if err := events.Emit(Event{Event: JobLog, Job: forged, Text: forged}); err != nil {
		t.Fatal(err)
	}
	if err := events.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n != 1 {
		t.Errorf("%d lines: %s", n, data)
	}
	for ev, err := range ReadEvents(filepath.Dir(path)) {
		if err != nil || ev.Event != JobLog {
			t.Errorf("read %v, %v", ev, err)
		}
		if want := strings.ReplaceAll(forged, "\xff", "\ufffd"); ev.Text != want {
			t.Errorf("text is %q, want %q", ev.Text, want)
		}
	}
}

func TestReadEvents(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, EventsFile)
	text := `{"time":"2026-01-02T03:04:05Z","event":"job-start","job":"a","colour":"red"}
not json
{"time":"2026-01-02T03:04:06Z","event":"moon-phase"}
{"time":"2026-01-02T03:04:07Z","event":"job-e`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for ev, err := range ReadEvents(dir) {
		var bad *lineError
		switch {
		case errors.As(err, &bad):
			got = append(got, "error")
			if bad.Line != 2 {
				t.Errorf("the error is in line %d, want 2", bad.Line)
			}
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, ev.Event)
		}
	}
	if diff := cmp.Diff([]string{"job-start", "error", "moon-phase"}, got); diff != "" {
		t.Error(diff)
	}
	for range ReadEvents(t.TempDir()) {
		t.Error("an event of a file that is not there")
	}
}

func TestSummarize(t *testing.T) {
	dir := t.TempDir()
	events, err := CreateEvents(filepath.Join(dir, EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	one, kill := 1, 137
	for _, ev := range []Event{
		{Event: RunStart, Version: Version, Jobs: []JobID{{"build", []string{"quire/push"}}, {"test", []string{"build"}}, {"late", []string{"test"}}}},
		{Event: JobStart, Job: "build"},
		{Event: ShStart, Job: "build", Sh: 1, Cmd: "make", Log: LogPath("build", 1)},
		{Event: JobStart, Job: "test"},
		{Event: ShEnd, Job: "build", Sh: 1, Exit: &one},
		{Event: JobRetry, Job: "build", Attempt: 1},
		{Event: ShStart, Job: "build", Sh: 2, Cmd: "make", Log: LogPath("build", 2)},
		{Event: ShEnd, Job: "build", Sh: 2, Exit: &kill, Signal: "KILL", Reason: "timeout"},
		{Event: JobEnd, Job: "build", State: Failed, Reason: "timeout", Code: 137, Error: "e"},
	} {
		if err := events.Emit(ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := events.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Summarize(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []JobRecord{
		{ID: "build", State: Failed, Reason: "timeout", Code: 137, Error: "e", Attempts: 2, Commands: []CommandRecord{
			{N: 1, Cmd: "make", Exit: &one, Log: "jobs/build/sh-1.log"},
			{N: 2, Cmd: "make", Exit: &kill, Signal: "KILL", Reason: "timeout", Log: "jobs/build/sh-2.log"},
		}},
		{ID: "test", State: "active", Attempts: 1, Commands: []CommandRecord{}},
		{ID: "late", State: "pending", Commands: []CommandRecord{}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(&time.Time{}, []Artifact{})); diff != "" {
		t.Error(diff)
	}
	if got[0].Finished == nil || got[0].Commands[1].Finished == nil || got[1].Finished != nil {
		t.Error("the times do not say what has ended")
	}
}

func TestLogPath(t *testing.T) {
	for job, want := range map[string]string{
		"test":         "jobs/test/sh-1.log",
		"quire/mirror": "jobs/quire/mirror/sh-1.log",
		"..":           "jobs/%2E%2E/sh-1.log",
		".":            "jobs/%2E/sh-1.log",
		"a\nb%":        "jobs/a%0Ab%25/sh-1.log",
		"prüfe alles":  "jobs/prüfe alles/sh-1.log",
	} {
		if got := LogPath(job, 1); got != want {
			t.Errorf("LogPath(%q, 1) = %q, want %q", job, got, want)
		}
	}
}

// FuzzReadEvents checks for any file that reading ends, that the events are those in the
// file, and that they can be shown.
func FuzzReadEvents(f *testing.F) {
	f.Add(`{"time":"2026-01-02T03:04:05Z","event":"sh-end","job":"a","sh":1,"exit":0}` + "\n")
	f.Add("{}\nnull\n[]\n\"\"\n1\n{\"event\":7}\n{\"jobs\":[null]}\n\n{")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, EventsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for range ReadEvents(dir) {
			n++
		}
		if want := strings.Count(text, "\n"); n != want {
			t.Errorf("%d of %d lines were read", n, want)
		}
		jobs, err := Summarize(dir)
		if err != nil {
			t.Error(err)
		}
		if _, err := json.Marshal(jobs); err != nil {
			t.Error(err)
		}
		if _, _, err := FirstAndLast(dir); err != nil {
			t.Error(err)
		}
	})
}
