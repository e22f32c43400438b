// Package web shows the records of a root as pages. One http.Handler serves them behind a
// web server by CGI, by itself on a port, and for static files. It reads run records and
// the configuration, starts no process, and opens neither a repository nor a secret.
package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"quire/lib/config"
	"quire/lib/runstore"
)

//go:embed page
var pageFiles embed.FS

// A Handler answers requests for pages. Its paths begin with the slash of the front page.
type Handler struct {
	Root string
	Log  func(error) // gets errors that visitors must not read

	// If PathInfo is not nil, it is the path of each request. In a CGI program the path of
	// the URL begins with the path of the program.
	PathInfo *string

	static bool // for an export: addresses end in .html, and pages do not depend on the time
}

// errNotFound is the error for an address without a page. A hidden repository has the same
// answer as a missing one.
var errNotFound = errors.New("no such page")

// policy allows pages to load files of this server only, and to run its script only.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP answers a request. If quire cannot read its records, the status is 500, and Log
// gets the error.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cache-Control", "no-cache")
	p := r.URL.Path
	if h.PathInfo != nil {
		p = *h.PathInfo
	}
	v := &visit{Handler: h, w: w, r: r, path: p, now: time.Now(), shown: map[string]bool{}}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		v.refuse(http.StatusMethodNotAllowed, "These pages can only be read.")
		return
	}
	switch err := v.answer(); {
	case err == nil, errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET): // the visitor has left
	case errors.Is(err, errNotFound), errors.Is(err, runstore.ErrNotFound):
		v.refuse(http.StatusNotFound, "There is no such page.")
	default:
		h.Log(err)
		v.refuse(http.StatusInternalServerError, "quire cannot show this page. The reason is in the log of the web server.")
	}
}

// A visit is one request with the data read for it.
type visit struct {
	*Handler
	w     http.ResponseWriter
	r     *http.Request
	path  string
	now   time.Time
	store *runstore.Store
	cfg   *config.Config
	shown map[string]bool // repositories; filled by shows

	// An export reads these after a page: whether another page of the same kind follows, the
	// newest run of each ref of a repository, and the id of the last run on the page if older
	// ones follow.
	more  bool
	refs  []runstore.Record
	older string
}

// answer writes the page of the address.
func (v *visit) answer() error {
	switch v.path {
	case "/style.css", "/live.js":
		return v.asset(v.path[1:])
	case "":
		return v.addSlash()
	}
	if err := v.open(); err != nil {
		return err
	}
	a, ok := parseAddress(v.path)
	if !ok {
		return errNotFound
	}
	if a.kind == frontPage {
		return v.front()
	}
	if !v.shows(a.repo) {
		return errNotFound
	}
	switch a.kind {
	case repoPage:
		return v.repo(a.repo)
	case badge:
		return v.badge(a.repo)
	case feed:
		return v.feed(a.repo)
	case noSlash:
		if exists, err := v.exists(a.repo); err != nil || !exists {
			return errors.Join(err, errNotFound)
		}
		return v.addSlash()
	}
	if v.store == nil {
		return errNotFound
	}
	run, err := v.store.Run(a.repo, a.id)
	if err != nil {
		return err
	}
	switch a.kind {
	case runJSON:
		return v.json(run)
	case logPage:
		return v.log(run, a.job)
	case artifact:
		return v.artifact(run, a.job, a.file)
	}
	return v.run(run)
}

// open reads the configuration, and opens the store unless the root has no records yet.
func (v *visit) open() (err error) {
	if v.cfg, err = config.Load(v.r.Context(), v.Root); err != nil {
		return fmt.Errorf("cannot read config of '%s': %w", v.Root, err)
	}
	v.store, err = runstore.OpenReader(v.Root)
	if info, unknown := os.Stat(v.Root); errors.Is(err, fs.ErrNotExist) && unknown == nil && info.IsDir() {
		err = nil
	}
	return err
}

// shows reports whether the owner shows a repository with this name.
func (v *visit) shows(repo string) bool {
	shown, known := v.shown[repo]
	if !known {
		shown = filepath.IsLocal(repo) && path.Clean(repo) == repo && repo != "." &&
			!strings.ContainsRune(repo, 0) && v.cfg.For(repo).Web
		v.shown[repo] = shown
	}
	return shown
}

// exists reports whether a repository with this name, or a run of it, exists.
func (v *visit) exists(repo string) (bool, error) {
	if isRepository(filepath.Join(v.Root, "repos", repo)) {
		return true, nil
	}
	for _, err := range v.list(runstore.Filter{Repo: repo, Limit: 1}) {
		return err == nil, err
	}
	return false, nil
}

// number returns a number of the query, 0 if it is missing or not a number.
func (v *visit) number(key string) int {
	n, _ := strconv.Atoi(v.r.URL.Query().Get(key))
	return n
}

// addSlash redirects to the same address with a slash at its end.
func (v *visit) addSlash() error {
	v.w.Header().Set("Location", path.Base(v.r.URL.EscapedPath())+"/")
	v.w.WriteHeader(http.StatusMovedPermanently)
	return nil
}

// asset writes the stylesheet or the script.
func (v *visit) asset(name string) error {
	data, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		return err
	}
	kind := "text/css; charset=utf-8"
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	v.w.Header().Set("Cache-Control", "max-age=600")
	return v.write(http.StatusOK, kind, data)
}

// write writes a whole answer.
func (v *visit) write(code int, kind string, body []byte) error {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(code)
	if v.r.Method == http.MethodHead {
		return nil
	}
	_, err := v.w.Write(body)
	return err
}

// page writes the page of a template.
func (v *visit) page(name, title string, data any) error {
	return v.render(http.StatusOK, name, title, data)
}

func (v *visit) render(code int, name, title string, data any) error {
	t, err := parsePage(name)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, layout{visit: v, Title: title, Data: data}); err != nil {
		return err
	}
	return v.write(code, "text/html; charset=utf-8", out.Bytes())
}

// refuse writes a page with one sentence that says why the request failed.
func (v *visit) refuse(code int, words string) {
	if err := v.render(code, "refusal", http.StatusText(code), words); err != nil {
		v.Log(err)
	}
}
