package workspace

import (
	"context"
	"errors"
	"io"
	"sync"

	"quire/lib/git"
)

// A writer writes files of a plan below root. No file's path leads through a link:
// a plan has no name twice, so that no link can be where a directory is.
type writer struct {
	repo    *git.Repo
	objects *git.Objects // for the first worker; the others start their own
	plan    *plan
	root    fd
	dirs    *dirMaker
	records *recorder // nil: nothing is recorded
}

// A worker takes many files at a time, since at the end of each lot it waits for git
// to begin the next, and the fewer the less there are left, so that all end together.
const mostAtOnce, fewestAtOnce = 2048, 32

// perWorker is how many files a worker is worth the start of another git.
const perWorker = 256

// A share is work that is done by several.
type share struct {
	mu      sync.Mutex
	left    []todo
	workers int
}

// take returns the next files for one of them, none when there are no more.
func (s *share) take() []todo {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.left), max(fewestAtOnce, min(mostAtOnce, len(s.left)/(3*s.workers))))
	lot := s.left[:n]
	s.left = s.left[n:]
	return lot
}

// write writes the files, of which none may exist but those to be written over. At
// most most workers share the work, each with a git of its own.
func (w *writer) write(outer context.Context, files []todo, most int) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	work := &share{left: files, workers: max(1, min(most, len(files)/perWorker))}
	var workers sync.WaitGroup
	for n := range work.workers {
		workers.Go(func() {
			if err := w.work(ctx, n == 0, work); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	if outer.Err() != nil {
		return outer.Err()
	}
	return context.Cause(ctx) // of the first worker that failed
}

// work is one worker: it takes files until there are no more.
func (w *writer) work(ctx context.Context, first bool, work *share) error {
	objects := w.objects
	if !first {
		var err error
		if objects, err = w.repo.Objects(ctx); err != nil {
			return err
		}
		defer objects.Close()
	}
	o := &output{root: w.root, dirs: w.dirs, index: -1, buffer: make([]byte, 128<<10), stat: w.records != nil}
	defer o.leave()
	for {
		batch := work.take()
		if len(batch) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		oids := make([]string, len(batch))
		for i, t := range batch {
			oids[i] = w.plan.files[t.file].oid
		}
		err := objects.ReadAll(oids, func(i int, in git.Info, body io.Reader) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f := &w.plan.files[batch[i].file]
			if in.Type != "blob" {
				return fileError("write", w.plan.path(f), errors.New("its object is a "+in.Type))
			}
			stat, err := o.put(w.plan, f, in.Size, body, batch[i].over)
			if err != nil {
				return fileError("write", w.plan.path(f), err)
			}
			if w.records != nil && f.mode != git.ModeLink {
				w.records.files[batch[i].file] = newStamp(&stat)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
