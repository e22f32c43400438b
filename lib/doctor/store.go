package doctor

import (
	"os"
	"path/filepath"
	"time"

	"quire/lib/runstore"
	"quire/lib/text"
)

// storeNames are the entries of a root that has had a run.
var storeNames = []string{"runs", "live", "tmp", "journal", "queue"}

// maxClockSkew is the largest difference between clocks that is no problem.
const maxClockSkew = time.Minute

// store opens and checks the records, unless the root has had no run.
func (x *exam) store() {
	for _, name := range storeNames {
		if _, err := os.Lstat(filepath.Join(x.Root, name)); err != nil {
			return
		}
	}
	runstate := "quire-runstate --root " + text.QuoteLine(x.Root)
	s, err := runstore.Open(x.Root, nil)
	if err != nil {
		x.wrong(x.Root, "# move the other file away", "%v", err)
		return
	}
	x.records = s
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
	x.active()
	for newest := range s.List(runstore.Filter{Limit: 1}) {
		if ahead := time.Until(newest.Created); ahead > maxClockSkew {
			x.wrong(x.Root, "# set the clock", "the newest run is dated in the future, %s", newest.Created.Format(time.RFC3339))
		}
	}
	if len(x.findings) == before {
		x.ok(x.Root + " (records)")
	}
	x.onEndResults()
}
