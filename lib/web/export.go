package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"time"

	"quire/lib/cli"
	"quire/lib/push"
	"quire/lib/runstore"
	"quire/lib/view"
)

// exportLines is the number of lines of a log in an export.
const exportLines = 50 * pageLines

// Export writes all pages to the directory dir as files, and removes the pages of runs and
// repositories that are no longer shown. It writes only files that change. If a page cannot
// be written, Log gets the error, and Export writes the other pages before it fails.
func (h *Handler) Export(ctx context.Context, dir string) error {
	static := *h
	static.static = true
	e := &exporter{Handler: &static, ctx: ctx}
	v := e.visit("/", "")
	if err := v.open(); err != nil {
		return err
	}
	var err error
	if e.files, err = openFiles(dir, "quire-web "+cli.Version+" "+v.cfg.For("").URL); err != nil {
		return fmt.Errorf("cannot export to '%s': %w", dir, err)
	}
	defer e.files.list.Close()
	repos := map[string]bool{}
	for _, name := range v.linked() {
		repos[name] = true
	}
	for rec, err := range v.list(runstore.Filter{}) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			e.failed(err)
		case v.shows(rec.Repo):
			repos[rec.Repo] = true
			e.run(v, rec)
		}
	}
	// A page is written after the pages that it links to.
	for name := range repos {
		e.repo(name)
	}
	for n, file := 1, "index.html"; ; file = fmt.Sprintf("page-%d.html", n) {
		v := e.page("/", fmt.Sprintf("page=%d", n), file)
		if n++; v == nil || !v.more {
			break
		}
	}
	e.page("/style.css", "", "style.css")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := e.files.finish(e.failures > 0); err != nil {
		e.failed(err)
	}
	if e.failures > 0 {
		return fmt.Errorf("cannot export all pages to '%s': %d are missing or out of date", dir, e.failures)
	}
	return nil
}

// An exporter writes the pages of one export.
type exporter struct {
	*Handler
	ctx      context.Context
	files    *files
	failures int
}

func (e *exporter) failed(err error) {
	e.failures++
	e.Log(err)
}

// run writes the pages of a run, unless an earlier export wrote them after its end.
func (e *exporter) run(v *visit, rec runstore.Record) {
	run, err := v.store.Run(rec.Repo, rec.ID)
	if errors.Is(err, runstore.ErrNotFound) {
		return // pruned since the list was read
	}
	if err != nil {
		e.failed(err)
		return
	}
	base := rec.Repo + "/" + rec.ID
	driven, err := run.Driven()
	if err == nil && rec.State.Final() && !driven && e.files.reuse(base) {
		return
	}
	seen, err := view.Read(run)
	if err != nil {
		e.failed(err)
		return
	}
	e.log(base + "/log")
	jobs := byFailure(seen.Jobs)
	for _, j := range jobs[:min(len(jobs), maxJobs)] {
		if j.ID != "" && len(j.Commands) > 0 {
			e.log(base + "/" + jobSegment(j.ID) + "/log")
		}
	}
	e.page("/"+base+".json", "", base+".json")
	e.page("/"+base, "", base+".html")
}

// log writes the pages of a log, whose address without a suffix is name.
func (e *exporter) log(name string) {
	for first := 1; ; first += pageLines {
		file, query := name+".html", ""
		if first > 1 {
			file, query = fmt.Sprintf("%s-%d.html", name, first), fmt.Sprintf("from=%d", first)
		}
		v := e.page("/"+name, query, file)
		if v == nil || !v.more {
			return
		}
	}
}

// repo writes the pages of a repository.
func (e *exporter) repo(name string) {
	e.page("/"+name+"/feed.atom", "", name+"/feed.atom")
	v := e.page("/"+name+"/", "", name+"/index.html")
	if v == nil {
		return
	}
	for _, b := range v.refs {
		if short := push.ShortRef(b.Ref); filepath.IsLocal(short) {
			e.page("/"+name+"/badge.svg", url.Values{"ref": {b.Ref}}.Encode(), name+"/badge/"+short+".svg")
		}
	}
	for v != nil && v.older != "" {
		v = e.page("/"+name+"/", "before="+v.older, name+"/before-"+v.older+".html")
	}
}

// page writes one page to a file. It returns nil if that fails.
func (e *exporter) page(address, query, file string) *visit {
	if e.ctx.Err() != nil {
		return nil
	}
	v := e.visit(address, query)
	err := v.answer()
	if err == nil {
		err = e.files.write(path.Clean(file), v.w.(*bodyWriter).body.Bytes())
	}
	switch {
	case errors.Is(err, runstore.ErrNotFound), errors.Is(err, errNotFound):
		return nil // pruned since the list was read
	case err != nil:
		e.failed(fmt.Errorf("cannot export '%s': %w", file, err))
		return nil
	}
	return v
}

func (e *exporter) visit(address, query string) *visit {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: address, RawQuery: query}, Header: http.Header{}}
	return &visit{
		Handler: e.Handler, w: &bodyWriter{header: http.Header{}}, r: r.WithContext(e.ctx), path: address,
		now: time.Now(), shown: map[string]bool{},
	}
}

// A bodyWriter is an http.ResponseWriter that stores the body of the answer.
type bodyWriter struct {
	header http.Header
	body   bytes.Buffer
}

func (w *bodyWriter) Header() http.Header         { return w.header }
func (w *bodyWriter) WriteHeader(int)             {}
func (w *bodyWriter) Write(p []byte) (int, error) { return w.body.Write(p) }
