package doctor

import (
	"context"
	"path/filepath"
	"time"

	"quire/lib/config"
	"quire/lib/runstore"
	"quire/lib/text"
)

// storeNames are what a root that has had a run has.
var storeNames = []string{"runs", "live", "tmp", "journal", "queue"}

// slack is how far clocks may be apart.
const slack = time.Minute

// store looks at the records. A root without any has none to look at, and gets none.
func (x *exam) store() {
	if !x.hasStore() {
		return
	}
	runstate := "quire-runstate --root " + text.QuoteLine(x.Root)
	s, err := runstore.Open(x.Root, nil)
	if err != nil {
		x.wrong(x.Root, "# see what is there in its place", "%v", err)
		return
	}
	before := len(x.findings)
	problems, err := s.Check(false)
	for _, p := range problems {
		mend := runstate + " fsck --repair"
		if p.Warning {
			mend = "# see that the clock is right: new ids are greater all the same"
		}
		x.wrong(filepath.Join(x.Root, p.Path), mend, "%s", p.What)
	}
	if err != nil {
		x.wrong(x.Root, "# see to that first", "%v", err)
	}
	cfg, err := config.Load(context.Background(), x.Root)
	if err != nil {
		cfg = nil // config reports it
	}
	x.active(s, cfg)
	for newest := range s.List(runstore.Filter{Limit: 1}) {
		if ahead := time.Until(newest.Created); ahead > slack {
			x.wrong(x.Root, "# set the clock", "the newest run is dated in the future, %s", newest.Created.Format(time.RFC3339))
		}
	}
	if len(x.findings) == before {
		x.ok(x.Root + " (records)")
	}
	x.onEndResults(s)
}
