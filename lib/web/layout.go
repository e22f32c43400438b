package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"quire/lib/cli"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A layout is the data of every template. The methods of a visit format addresses and times.
type layout struct {
	*visit
	Title string
	Data  any
}

// parsePage returns the template of a page with the frame of all pages. It parses no other
// page, because a CGI program writes only one.
func parsePage(name string) (*template.Template, error) {
	t := template.New(name + ".html").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }})
	return t.ParseFS(pageFiles, "page/layout.html", "page/"+name+".html")
}

// Version returns the version of quire.
func (v *visit) Version() string { return cli.Version }

// Host returns the name of the site: the host of the configured address.
func (v *visit) Host() string {
	if v.cfg != nil {
		if _, host, ok := strings.Cut(v.cfg.For("").URL, "://"); ok {
			return host
		}
	}
	return "quire"
}

// Static reports whether the page is a file.
func (v *visit) Static() bool { return v.static }

// A moment is a time in HTML syntax and as people read it.
type moment struct{ Machine, People string }

// When returns a time for people: how long ago it was, or the date in an export.
func (v *visit) When(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	m := moment{t.UTC().Format(time.RFC3339), t.UTC().Format("2006-01-02 15:04")}
	if v.static {
		return m
	}
	switch d := v.now.Sub(t); {
	case d < time.Minute:
		m.People = "now"
	case d < time.Hour:
		m.People = fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		m.People = fmt.Sprintf("%d h ago", d/time.Hour)
	case d < 30*24*time.Hour:
		m.People = fmt.Sprintf("%d days ago", d/(24*time.Hour))
	default:
		m.People = m.People[:len("2006-01-02")]
	}
	return m
}

// Exact returns a time for people to the second.
func (v *visit) Exact(t time.Time) moment {
	return moment{t.UTC().Format(time.RFC3339), t.UTC().Format("2006-01-02 15:04:05 UTC")}
}

// tookText returns a duration for people, "–" if a time is unknown.
func tookText(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "–"
	}
	d := to.Sub(from)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%dh %02dm", d/time.Hour, d/time.Minute%60)
}

// Took returns the duration of a run, so far if it is active.
func (v *visit) Took(r runstore.Record) string {
	if r.State == runstore.Active && !v.static {
		return tookText(r.Started, v.now)
	}
	return tookText(r.Started, r.Finished)
}

// After returns the duration of a run as the end of a sentence, "" if it is unknown.
func (v *visit) After(r runstore.Record) string {
	switch took := v.Took(r); {
	case took == "–":
		return ""
	case r.State == runstore.Active:
		return " for " + took
	default:
		return " after " + took
	}
}

// between returns the duration between two times. If the second one is unknown and active
// is true, it is the present.
func (v *visit) between(from, to *time.Time, active bool) string {
	if to == nil && active && !v.static {
		to = &v.now
	}
	if from == nil || to == nil {
		return "–"
	}
	return tookText(*from, *to)
}

// ShortRef returns the name of a branch or tag without refs/heads/ or refs/tags/.
func (v *visit) ShortRef(ref string) string { return text.Line(push.ShortRef(ref)) }

// ShortID returns the part of an id that pages show. It identifies the run.
func (v *visit) ShortID(id string) string { return id[24:] }

// Line returns a text as one line without control characters.
func (v *visit) Line(s string) string { return text.Line(s) }

// states are the states of runs and jobs. The records of a job may contain any other text.
var states = map[string]bool{"pending": true, "active": true, "superseded": true,
	runlog.Complete: true, runlog.Failed: true, runlog.Skipped: true}

// knownState returns a state that has a symbol and a colour; "pending" for any other text.
func knownState(s string) string {
	if states[s] {
		return s
	}
	return "pending"
}
