package web

import (
	"net/url"
	"strconv"
	"strings"

	"quire/lib/config"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// The kinds of addresses.
const (
	frontPage = iota
	repoPage
	noSlash // a repository without the slash at its end
	badge
	feed
	runPage
	runJSON
	logPage
	artifact
)

// An address is a parsed path. Its names are not checked.
type address struct {
	kind                int
	repo, id, job, file string // job is a segment, see jobSegment
}

// parseAddress parses a path. No component of the name of a repository is an id, so the
// first id in a path ends that name.
func parseAddress(path string) (address, bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return address{}, false
	}
	if rest == "" {
		return address{}, true
	}
	parts := strings.Split(rest, "/")
	last := len(parts) - 1
	for i, part := range parts {
		id, isJSON := part, false
		if i == last {
			id, isJSON = strings.CutSuffix(part, ".json")
		}
		if !runstore.IsID(id) || i == 0 {
			continue
		}
		a := address{repo: strings.Join(parts[:i], "/"), id: id}
		switch rest := parts[i+1:]; {
		case isJSON:
			a.kind = runJSON
		case len(rest) == 0:
			a.kind = runPage
		case len(rest) == 1 && rest[0] == "log":
			a.kind = logPage
		case len(rest) == 2 && rest[1] == "log":
			a.kind, a.job = logPage, rest[0]
		case len(rest) > 2 && rest[1] == "artifacts":
			a.kind, a.job, a.file = artifact, rest[0], strings.Join(rest[2:], "/")
		default:
			return address{}, false
		}
		return a, true
	}
	a := address{repo: strings.Join(parts[:last], "/")}
	switch parts[last] {
	case "":
		a.kind = repoPage
	case "badge.svg":
		a.kind = badge
	case "feed.atom":
		a.kind = feed
	default:
		a.kind, a.repo = noSlash, rest
	}
	return a, true
}

// jobSegment returns the id of a job as one segment of a path, which is not "." or "..".
// Different ids have different segments.
func jobSegment(job string) string {
	return strings.ReplaceAll(runlog.JobPath(job), "/", "%2F")
}

// to returns the address of a path below the front page, relative to the current page. It
// is short, because a page has many addresses.
func (v *visit) to(target string) string {
	dir := config.EscapePath(v.path[:strings.LastIndexByte(v.path, '/')+1])
	if rest, ok := strings.CutPrefix("/"+target, dir); ok {
		return "./" + rest
	}
	return strings.Repeat("../", strings.Count(dir, "/")-1) + target
}

// index returns the last part of the address of a directory, "" without files.
func (v *visit) index() string {
	if v.static {
		return "index.html"
	}
	return ""
}

// html returns the suffix of the address of a page, "" without files.
func (v *visit) html() string {
	if v.static {
		return ".html"
	}
	return ""
}

// The following methods return addresses relative to the current page.

func (v *visit) FrontURL() string { return v.to(v.index()) }

func (v *visit) FileURL(name string) string { return v.to(name) }

func (v *visit) RepoURL(repo string) string { return v.to(config.EscapePath(repo) + "/" + v.index()) }

func (v *visit) RecordURL(r runstore.Record) string { return v.runURL(r.Repo, r.ID) }

func (v *visit) runURL(repo, id string) string {
	return v.to(config.EscapePath(repo) + "/" + id + v.html())
}

func (v *visit) JSONURL(run *runstore.Run) string {
	return v.to(config.EscapePath(run.Repo) + "/" + run.ID + ".json")
}

// LogURL returns the address of a page of the log of a run, or of a job if job is not "".
// first is the number of its first line.
func (v *visit) LogURL(run *runstore.Run, job string, first int) string {
	to := config.EscapePath(run.Repo) + "/" + run.ID
	if job != "" {
		to += "/" + config.EscapePath(jobSegment(job))
	}
	to = v.to(to + "/log")
	switch {
	case first <= 1:
		return to + v.html()
	case v.static:
		return to + "-" + strconv.Itoa(first) + ".html"
	}
	return to + "?from=" + strconv.Itoa(first)
}

// BadgeURL returns the address of the badge of a ref.
func (v *visit) BadgeURL(repo, ref string) string {
	to := v.to(config.EscapePath(repo) + "/badge")
	if v.static {
		return to + "/" + config.EscapePath(push.ShortRef(ref)) + ".svg"
	}
	return to + ".svg?ref=" + url.QueryEscape(push.ShortRef(ref))
}
