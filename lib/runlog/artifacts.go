package runlog

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// An Artifact is a file that a job left in its directory of artifacts.
type Artifact struct {
	Job  string `json:"-"`
	Size int64  `json:"size"` // in bytes
	Path string `json:"path"` // relative to the directory of the run, with slashes
}

// openArtifacts opens the directory of a job's artifacts in the run's directory dir. It does
// not follow links, which jobs may have put there. The error is fs.ErrNotExist if the job
// left no artifacts.
func openArtifacts(dir, job string) (*os.File, error) {
	return file.OpenBelow(recordsDir(dir), ArtifactsPath(job))
}

// Artifacts calls visit for each artifact of a job, in the order of their names, until it
// returns an error. dir is the directory of the run. Anything but a file is skipped.
func Artifacts(dir, job string, visit func(Artifact) error) error {
	top, err := openArtifacts(dir, job)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer top.Close()
	return file.Walk(top, func(e *file.Entry) error {
		if !e.Mode.IsRegular() {
			return nil
		}
		return visit(Artifact{Job: job, Size: e.Size, Path: ArtifactsPath(job) + "/" + e.Path})
	})
}

// OpenArtifact opens an artifact of a job for reading. name is its path below the directory
// of the artifacts, with slashes. It follows no link. If no regular file has this name, that
// is an error.
func OpenArtifact(dir, job, name string) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	parent, err := file.OpenBelow(recordsDir(dir), path.Join(ArtifactsPath(job), path.Dir(name)))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	fd, err := file.OpenAt(int(parent.Fd()), path.Base(name), unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, errNotRegular)
	}
	return f, nil
}

// CheckArtifacts returns an error if the artifacts of a job of the run in dir cannot be
// opened, for example because a job put a link in their place. A job may have none.
func CheckArtifacts(dir, job string) error {
	f, err := openArtifacts(dir, job)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		f.Close()
	}
	return err
}

// CopyArtifacts copies the artifacts of a job of the run in the directory dir to the same
// job in out, the directory for the records of another run, and returns their size in bytes.
// On error it leaves none there. If they have more than most bytes, the error is
// file.ErrLarge; 0 is no bound.
func CopyArtifacts(ctx context.Context, dir, job, out string, most int64) (int64, error) {
	from, err := openArtifacts(dir, job)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer from.Close()
	path := filepath.Join(out, filepath.FromSlash(ArtifactsPath(job)))
	if err := os.MkdirAll(path, 0o700); err != nil {
		return 0, err
	}
	to, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	size, err := file.CopyTree(ctx, from, to, file.Copy{Most: most})
	if err != nil { // an incomplete file must not look like an artifact
		err = errors.Join(err, file.RemoveTree(path))
	}
	return size, err
}
