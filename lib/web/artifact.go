package web

import (
	"errors"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"

	"quire/lib/config"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/unit"
)

// maxArtifacts is how many artifacts the page of a run shows.
const maxArtifacts = 50

// An artifactRow is an artifact on the page of a run. Its URL is "" in an export: the web
// server would show an HTML artifact as a page of its own site.
type artifactRow struct{ Job, Name, Size, URL string }

// artifacts returns the artifacts of the jobs, and a note if some are missing.
func (v *visit) artifacts(run *runstore.Run, jobs []runlog.JobRecord) (rows []artifactRow, note string) {
	for _, j := range jobs[:min(len(jobs), maxJobs)] {
		err := runlog.Artifacts(run.Dir, j.ID, func(a runlog.Artifact) error {
			if len(rows) == maxArtifacts {
				return errMany
			}
			name := strings.TrimPrefix(a.Path, runlog.ArtifactsPath(j.ID)+"/")
			row := artifactRow{Job: text.Line(j.ID), Name: text.Line(name), Size: unit.FormatSize(uint64(a.Size))}
			if !v.static {
				row.URL = v.to(config.EscapePath(run.Repo + "/" + run.ID + "/" + jobSegment(j.ID) + "/artifacts/" + name))
			}
			rows = append(rows, row)
			return nil
		})
		switch {
		case errors.Is(err, errMany):
			return rows, "There are more."
		case err != nil:
			note = "Some artifacts cannot be read."
		}
	}
	return rows, note
}

var errMany = errors.New("many artifacts")

// artifact sends a file that a job left behind, always as a download. Otherwise an HTML
// artifact would be a page of this site.
func (v *visit) artifact(run *runstore.Run, segment, name string) error {
	jobs, _ := runlog.Summarize(run.Dir)
	i := slices.IndexFunc(jobs, func(j runlog.JobRecord) bool { return jobSegment(j.ID) == segment })
	if v.static || i < 0 {
		return errNotFound
	}
	f, err := runlog.OpenArtifact(run.Dir, jobs[i].ID, name)
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
