package web

import (
	"io/fs"
	"mime"
	"net/http"
	"path"

	"quire/lib/runlog"
	"quire/lib/runstore"
)

// artifact sends a file that a job left behind, always as a download: a page among them
// would otherwise be one of this site.
func (v *visit) artifact(run *runstore.Run, job, name string) error {
	if v.static || !fs.ValidPath(job+"/"+name) {
		return errNotFound
	}
	f, err := runlog.Open(run.Dir, path.Join(runlog.JobsDir, job, "artifacts", name))
	if err != nil {
		return errNotFound
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := v.w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	head.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(v.w, v.r, "", info.ModTime(), f)
	return nil
}
