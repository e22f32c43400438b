package runstore

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A journal line keeps what the record of a run has, and the greatest id, whatever its
// last field is.
func TestJournalLine(t *testing.T) {
	older, newer := NewID(time.Now()), NewID(time.Now())
	for _, test := range []struct {
		name string
		rec  Record
		last string
	}{
		{"complete", Record{State: Complete}, ""},
		{"skipped", Record{State: Failed, Reason: "cancelled", Skipped: true}, "skipped"},
		{"gate", Record{State: Complete, Gate: true}, "gate"},
		{"tested", Record{State: Complete, TestedBy: older}, "tested-by=" + older},
		{"tested gate", Record{State: Complete, Gate: true, TestedBy: newer}, "gate\ttested-by=" + newer},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, ids := range [][2]string{{older, newer}, {newer, older}, {newer, ""}} {
				test.rec.ID = ids[0]
				line := strings.TrimSuffix(journalLine(test.rec, ids[1]), "\n")
				got, err := parseRecord(line)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.rec, got); diff != "" {
					t.Errorf("parseRecord (-want +got):\n%s", diff)
				}
				if want := max(ids[0], ids[1]); string(newestOf([]byte(line))) != want {
					t.Errorf("newestOf(%q) is %s, want %s", line, newestOf([]byte(line)), want)
				}
				if test.last != "" && !strings.HasSuffix(line, "\t"+test.last) {
					t.Errorf("line %q does not end in %q", line, test.last)
				}
			}
		})
	}
}

// Check makes a lost journal line of a tested run again, and accepts the line.
func TestCheckTested(t *testing.T) {
	s := open(t)
	runs := create(t, s, facts("a.git", "r"), facts("a.git", "r"))
	change(t, runs[0], Change{State: Complete})
	change(t, runs[1], Change{State: Complete, By: runs[0].ID, Note: "tested"})
	if problems, err := s.Check(false); err != nil || len(problems) > 0 {
		t.Fatalf("Check found %v, %v", problems, err)
	}
	if err := os.Truncate(s.path("journal"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(true); err != nil {
		t.Fatal(err)
	}
	var tested []string
	for rec, err := range s.List(Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		tested = append(tested, rec.TestedBy)
	}
	if diff := cmp.Diff([]string{runs[0].ID, ""}, tested); diff != "" {
		t.Errorf("tested by (-want +got):\n%s", diff)
	}
}
