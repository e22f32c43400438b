package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"quire/lib/cli"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// A push of very many refs gets a line for each run on stdout, and a few on stderr.
func TestShowMany(t *testing.T) {
	var out, notes bytes.Buffer
	e := &cli.Env{Name: "quire-trigger", Stdout: &out, Stderr: &notes}
	runs := make([]trigger.Run, maxNotes+7)
	for i := range runs {
		r := new(runstore.Run)
		r.ID, r.Ref = fmt.Sprintf("run-%d", i), "refs/heads/main"
		runs[i] = trigger.Run{Run: r, Executor: "host"}
	}
	if code := show(e, runs); code != cli.OK {
		t.Errorf("code %d", code)
	}
	if n := strings.Count(out.String(), "\n"); n != len(runs) {
		t.Errorf("%d run lines, want %d", n, len(runs))
	}
	if n := strings.Count(notes.String(), "\n"); n != maxNotes+1 {
		t.Errorf("%d notes, want %d", n, maxNotes+1)
	}
	if want := "quire-trigger: and 7 more, see quire-runstate list\n"; !strings.HasSuffix(notes.String(), want) {
		t.Errorf("notes end otherwise than %q: %s", want, &notes)
	}
}
