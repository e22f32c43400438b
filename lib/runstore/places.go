package runstore

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"quire/lib/file"
	"quire/lib/text"
)

// Places are the places in the queue of pending runs that one dispatcher drives or will
// drive. The queue is in the order of the ids. Each place is a lock on a byte of the file
// queue, so all are free when the dispatcher is gone.
type Places struct{ queue *os.File }

// HoldPlaces takes the places of runs for this process. It skips a place that another
// process holds.
func (s *Store) HoldPlaces(ids ...string) (*Places, error) {
	f, err := file.OpenFile(s.path("queue"), os.O_RDWR, 0)
	for _, id := range ids {
		if err == nil {
			err = file.TryLock(f, placeByte(id), file.Exclusive)
		}
		if errors.Is(err, ErrBusy) {
			err = nil
		}
	}
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, fmt.Errorf("cannot hold places in the queue of '%s': %w", s.root, text.Cause(err))
	}
	return &Places{f}, nil
}

// Free gives up the place of a run that has ended or lost its driver.
func (p *Places) Free(id string) error { return file.Unlock(p.queue, placeByte(id)) }

// Close gives up all places.
func (p *Places) Close() { p.queue.Close() }

// placeByte returns the byte of queue that is the place of a run: a number from the
// random part of the id, greater than the bytes with another meaning.
func placeByte(id string) int64 {
	n, _ := strconv.ParseUint(id[19:23]+id[24:], 16, 64)
	return int64(n&(1<<60-1)) | 1<<60
}

// hasPlace reports whether a dispatcher holds the place of a run.
func (s *Store) hasPlace(id string) (bool, error) { return file.Locked(s.path("queue"), placeByte(id)) }
