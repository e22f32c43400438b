package web

import (
	"bytes"
	"encoding/xml"
	"strings"
	"time"

	"quire/lib/config"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// feedRuns is the number of runs in a feed.
const feedRuns = 30

// An atomFeed is a feed by RFC 4287.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	HRef string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Link    atomLink `xml:"link"`
	Content string   `xml:"content"`
}

// feed writes the newest runs of a repository that have ended.
func (v *visit) feed(repo string) error {
	site := v.cfg.For(repo).URL
	to := func(p string) string {
		if site == "" {
			return p // relative to the feed
		}
		return site + "/" + config.EscapePath(repo) + "/" + p
	}
	f := atomFeed{
		ID: "urn:quire:" + config.EscapePath(repo), Title: text.Line(repo), Updated: time.Time{}.Format(time.RFC3339),
		Links: []atomLink{{"self", to("feed.atom")}, {"alternate", to(v.index())}},
	}
	if f.Links[1].HRef == "" {
		f.Links[1].HRef = "./"
	}
	for rec, err := range v.list(runstore.Filter{Repo: repo}) {
		if err != nil {
			v.Log(err)
			continue
		}
		if len(f.Entries) == feedRuns {
			break
		}
		if !rec.State.Final() {
			continue
		}
		e := atomEntry{
			ID: "urn:uuid:" + rec.ID, Updated: rec.Finished.UTC().Format(time.RFC3339), Author: "quire",
			Title:   text.Line(string(rec.Shown()) + ": " + v.subject(rec) + " (" + push.ShortRef(rec.Ref) + ")"),
			Link:    atomLink{"alternate", to(rec.ID + v.html())},
			Content: strings.Join(strings.Fields(string(rec.Shown())+" "+reasonText(rec)+v.After(rec)), " "),
		}
		if run, err := v.store.Run(repo, rec.ID); err == nil && run.Pusher != "" {
			e.Author = text.Line(run.Pusher)
		}
		f.Updated = max(f.Updated, e.Updated)
		f.Entries = append(f.Entries, e)
	}
	out, err := xml.Marshal(f)
	if err != nil {
		return err
	}
	return v.write(200, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), out...))
}

// badge writes a picture with the state of the newest run of a ref that is complete or
// failed. Without a ref it is the default branch. Runs of refused pushes do not count.
func (v *visit) badge(repo string) error {
	ref, state := v.r.URL.Query().Get("ref"), "no runs"
	var refs []runstore.Record
	for rec, err := range v.list(runstore.Filter{Repo: repo, Ref: ref, States: []runstore.State{runstore.Complete, runstore.Failed}}) {
		if err != nil {
			v.Log(err)
			continue
		}
		if rec.Refused() {
			continue // its commit never reached the ref
		}
		refs = append(refs, rec)
		if ref != "" || len(refs) == recentRuns {
			break
		}
	}
	if i := defaultRef(refs); i >= 0 {
		state = string(refs[i].State)
	}
	colours := map[string]string{runlog.Complete: "#1a7f37", runlog.Failed: "#c4242f"}
	colour, ok := colours[state]
	if !ok {
		colour = "#6b7280"
	}
	words := symbol(state) + " " + state
	t, err := parsePage("badge")
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = t.ExecuteTemplate(&out, "badge", map[string]any{"Text": words, "Colour": colour, "Width": 8*len([]rune(words)) + 12})
	if err != nil {
		return err
	}
	return v.write(200, "image/svg+xml", out.Bytes())
}
