package runstore

import (
	"fmt"
	"slices"
	"strings"
)

// journal checks that the journal has one correct line for each run that has ended.
func (c *checker) journal() error {
	f, size, err := c.openJournal()
	if err != nil {
		return err
	}
	defer f.Close()
	have := make(map[string]bool, len(c.ended))
	problem := func(id, what string) {
		c.report(c.path("journal"), fmt.Sprintf("line of run %s %s", id, what), nil)
	}
	before := len(c.problems)
	newest := ""
	end := int64(0)
	for l, err := range forward(f, size) {
		if err != nil {
			return err
		}
		end = l.end
		r, err := parseRecord(string(l.text))
		if err != nil {
			c.report(c.path("journal"), fmt.Sprintf("line %.60q is no record", l.text), nil)
			continue
		}
		should, ok := c.ended[r.ID]
		switch line := strings.TrimSuffix(journalLine(r, newest), "\n"); {
		case have[r.ID]:
			problem(r.ID, "is not the only one")
		case !ok && !isDir(c.runDir(r.Repo, r.ID)):
			problem(r.ID, "is of a run that is not there")
		case ok && !should.same(r):
			problem(r.ID, "is not what its history says")
		case line != string(l.text):
			problem(r.ID, "does not tell the newest run so far")
		}
		have[r.ID] = true
		newest = max(newest, r.ID)
	}
	if end < size {
		c.report(c.path("journal"), "ends in the rest of an interrupted write", nil)
	}
	for _, id := range c.missing(have) {
		problem(id, "is missing")
	}
	if !c.repair || before == len(c.problems) {
		return nil
	}
	if err := c.rebuildJournal(); err != nil {
		return err
	}
	for i := range c.problems[before:] {
		c.problems[before+i].Mended = true
	}
	return nil
}

// missing returns the ids of ended runs that are not in have, in the order they ended.
func (c *checker) missing(have map[string]bool) []string {
	var ids []string
	for id := range c.ended {
		if !have[id] {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		if n := c.ended[a].Finished.Compare(c.ended[b].Finished); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return ids
}

// rebuildJournal rewrites the journal: correct lines, each once, in their order, then the
// missing ones. Runs that ended since this check looked at them have their lines already,
// or are about to add them.
func (c *checker) rebuildJournal() error {
	st, err := c.stage()
	if err != nil {
		return err
	}
	defer st.close()
	have := map[string]bool{}
	accept := func(r Record) bool {
		if have[r.ID] || !isDir(c.runDir(r.Repo, r.ID)) {
			return false
		}
		if should, ok := c.ended[r.ID]; ok && !should.same(r) {
			return false
		}
		have[r.ID] = true
		return true
	}
	more := func() []Record {
		var records []Record
		for _, id := range c.missing(have) {
			if r := c.ended[id]; isDir(c.runDir(r.Repo, id)) {
				records = append(records, r)
			}
		}
		return records
	}
	return c.rewriteJournal(accept, more)
}
