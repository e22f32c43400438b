// Package runlog is what a run leaves behind to be read: events.jsonl, the log
// files of its commands, and the redaction of secrets in both. The formats are
// those of quire-events(5).
package runlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"
	"time"
)

// EventsFile is the name of the file of events in the directory of a run.
const EventsFile = "events.jsonl"

// Events appends to a file of events. It may be used by several goroutines.
type Events struct {
	mu   sync.Mutex
	file *os.File
}

// CreateEvents creates the file path, which must not exist.
func CreateEvents(path string) (*Events, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &Events{file: file}, nil
}

// Emit appends ev, dated now, in one write. Control characters are escaped in
// JSON, so no text in ev can end the line or begin another.
func (e *Events) Emit(ev Event) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	e.mu.Lock()
	defer e.mu.Unlock()
	ev.Time = time.Now().UTC()
	if err := enc.Encode(ev); err != nil {
		return fmt.Errorf("cannot encode event '%s': %w", ev.Event, err)
	}
	_, err := e.file.Write(buf.Bytes())
	return err
}

// Sync puts what was emitted onto the disk.
func (e *Events) Sync() error { return e.file.Sync() }

// Close closes the file.
func (e *Events) Close() error { return e.file.Close() }

// A LineError is a line of a file of events that is no event.
type LineError struct {
	Path string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string {
	return fmt.Sprintf("cannot read line %d of '%s': %v", e.Line, e.Path, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// ReadEvents yields the events of the file path. A line that is no event is
// yielded as a *LineError, and reading goes on; a last line
// without its newline, which a crash cut short, is left out. A file that does
// not exist has no events. Fields that are not known are passed over, and events
// that are not known are yielded as they are.
func ReadEvents(path string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer file.Close()
		in := bufio.NewReader(file)
		for n := 1; ; n++ {
			line, err := in.ReadBytes('\n')
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			var ev Event
			if err := json.Unmarshal(line, &ev); err != nil {
				if !yield(Event{}, &LineError{path, n, err}) {
					return
				}
			} else if !yield(ev, nil) {
				return
			}
		}
	}
}
