package doctor

import (
	"path/filepath"
	"time"

	"quire/lib/runstore"
	"quire/lib/text"
)

// storeNames are the entries of a root that has had a run.
var storeNames = []string{"runs", "live", "tmp", "journal", "queue"}

// maxClockSkew is the largest difference between clocks that is no problem.
const maxClockSkew = time.Minute

// store checks the records. It makes none in a root without any.
func (x *exam) store() {
	if !x.hasStore() {
		return
	}
	runstate := "quire-runstate --root " + text.QuoteLine(x.Root)
	s, err := runstore.Open(x.Root, nil)
	if err != nil {
		x.wrong(x.Root, "# move the other file away", "%v", err)
		return
	}
	before := len(x.findings)
	problems, err := s.Check(false)
	for _, p := range problems {
		repair := runstate + " fsck --repair"
		if p.Warning {
			repair = "# check that the clock is right: new ids are greater anyway"
		}
		x.wrong(filepath.Join(x.Root, p.Path), repair, "%s", p.What)
	}
	if err != nil {
		x.wrong(x.Root, "# repair this first", "%v", err)
	}
	x.active(s)
	for newest := range s.List(runstore.Filter{Limit: 1}) {
		if ahead := time.Until(newest.Created); ahead > maxClockSkew {
			x.wrong(x.Root, "# set the clock", "the newest run is dated in the future, %s", newest.Created.Format(time.RFC3339))
		}
	}
	if len(x.findings) == before {
		x.ok(x.Root + " (records)")
	}
	x.onEndResults(s)
}
