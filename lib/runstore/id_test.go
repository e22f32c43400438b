package runstore

import (
	"slices"
	"strings"
	"testing"
	"time"

	"quire/lib/push"
)

// A new id is greater than every id in live/ and the journal, whatever the clock says.
func TestIDsAscendWhenTheClockIsSetBack(t *testing.T) {
	keepStamp(t)
	future := time.Now().AddDate(50, 0, 0)
	for name, end := range map[string]*Change{
		"live":      nil,
		"ended":     {State: Complete},
		"cancelled": {State: Failed, Reason: "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			facts := Facts{Facts: push.Facts{ID: futureID(future), Repo: "a.git", GitDir: "/a", Ref: "r", SHA: "1"}}
			runs, err := s.Create(facts)
			if err == nil && end != nil {
				err = runs[0].Transition(*end)
			}
			if err != nil {
				t.Fatal(err)
			}
			before := facts.ID
			facts.ID = ""
			for range 3 {
				runs, err := s.Create(facts, facts)
				if err != nil {
					t.Fatal(err)
				}
				ids := []string{before, runs[0].ID, runs[1].ID}
				if !slices.IsSorted(ids) || ids[0] == ids[1] || !IsID(ids[1]) {
					t.Errorf("%v do not ascend", ids)
				}
				if status, err := runs[0].Status(); err != nil || time.Since(status.Created).Abs() > time.Minute {
					t.Errorf("created %v, %v", status.Created, err)
				}
				before = runs[1].ID
			}
		})
	}
}

// keepStamp keeps the ids that the test creates from affecting those in other tests.
func keepStamp(t *testing.T) {
	lastID.Lock()
	before := lastID.stamp
	lastID.Unlock()
	t.Cleanup(func() {
		lastID.Lock()
		lastID.stamp = before
		lastID.Unlock()
	})
}

// futureID returns an id from a wrong clock, without moving the clock of this process.
func futureID(at time.Time) string {
	lastID.Lock()
	before := lastID.stamp
	lastID.Unlock()
	id := NewID(at)
	lastID.Lock()
	lastID.stamp = before
	lastID.Unlock()
	return id
}

func TestTimeOf(t *testing.T) {
	keepStamp(t)
	for _, at := range []time.Time{time.UnixMilli(0), time.UnixMilli(1764370000123), time.Now().AddDate(100, 0, 0).Truncate(time.Millisecond)} {
		id := futureID(at)
		if got := timeOf(id); got.Before(at) || got.Sub(at) > time.Minute && at.After(time.Now()) {
			t.Errorf("%s is of %v, want %v", id, got, at)
		}
	}
	last := "ffffffff-ffff-7fff-bfff-ffffffffffff"
	if id := newIDAfter(last, time.Now()); timeOf(id).After(time.Now().AddDate(1, 0, 0)) {
		t.Errorf("%s is as far away as %s", id, last)
	}
}

// A run dated in the future is not newer than runs that ended after it, and fsck does not
// take it for damage.
func TestFutureRun(t *testing.T) {
	keepStamp(t)
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	create := func(id, ref string) string {
		t.Helper()
		runs, err := s.Create(Facts{Facts: push.Facts{ID: id, Repo: "a.git", GitDir: "/a", Ref: ref, SHA: "1"}})
		if err == nil {
			err = runs[0].Transition(Change{State: Superseded, By: NewID(time.Now())})
		}
		if err != nil {
			t.Fatal(err)
		}
		return runs[0].ID
	}
	old := create(NewID(time.Now()), "r")
	future := create(futureID(time.Now().AddDate(50, 0, 0)), "r")
	newer := []string{create(NewID(time.Now()), "r"), create(NewID(time.Now()), "s")} // as quire 0.1 did
	for keep, want := range map[int][]string{1: {future, newer[0], old}, 2: {future, old}, 3: {old}, 4: nil} {
		records, err := s.Prunable(Prune{Keep: func(string) int { return keep }})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range records {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("keep %d removes %v, want %v", keep, got, want)
		}
	}
	problems, err := s.Check(false)
	if err != nil || len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].What, "1 runs are dated in the future, up to run "+future) {
		t.Errorf("%v, %v", problems, err)
	}
}
