// Package runlog writes and reads the records of a run: events.jsonl, the logs of its
// commands, the combined log, and the redaction of secrets in all of them. quire-events(5)
// describes the formats.
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
	"path/filepath"
	"sync"
	"time"

	"quire/lib/file"
)

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

// Sync puts the events onto the disk.
func (e *Events) Sync() error { return e.file.Sync() }

// Close closes the file.
func (e *Events) Close() error { return e.file.Close() }

// A lineError is the error of a line in a file of events that is not an event.
type lineError struct {
	Path string
	Line int // from 1
	Err  error
}

func (e *lineError) Error() string {
	return fmt.Sprintf("cannot read line %d of '%s': %v", e.Line, e.Path, e.Err)
}

func (e *lineError) Unwrap() error { return e.Err }

// The limits of reading the events of a run: more than a pipeline needs, and little enough
// to read while a person waits.
const (
	maxEvents = 128 << 20 // bytes
	maxLines  = 1 << 20
	maxLine   = 16 << 20
)

// ReadEvents yields the events of the run whose directory is dir. For a line that is not an
// event it yields an error and continues; after any other error it ends. It skips a last
// line without a newline, which a crash cut short. If the file does not exist, the run has
// no events. Unknown fields are ignored, and unknown events are yielded.
func ReadEvents(dir string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		file, err := Open(dir, EventsFile)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer file.Close()
		limited := &io.LimitedReader{R: file, N: maxEvents}
		in := bufio.NewReader(limited)
		for n := 1; ; n++ {
			line, err := readLine(in)
			if err == io.EOF && limited.N == 0 {
				err = errLarge
			}
			if err == nil && n > maxLines {
				err = errLines
			}
			if err == io.EOF {
				return
			}
			if err != nil && err != errLong {
				yield(Event{}, fmt.Errorf("cannot read all of '%s': %w", file.Name(), err))
				return
			}
			var ev Event
			if err == nil {
				ev, err = parseEvent(line)
			}
			if err != nil {
				err = &lineError{filepath.Join(dir, EventsFile), n, err}
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

func parseEvent(line []byte) (Event, error) {
	var ev Event
	if err := json.Unmarshal(line, &ev); err != nil {
		return Event{}, err // without the fields that were read before
	}
	return ev, nil
}

// readLine returns the next line with its newline. The error is io.EOF if no complete line
// is left.
func readLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return nil, err
		case len(line) > maxLine:
			return nil, errLong
		default:
			return line, nil
		}
	}
}

var (
	errLines = fmt.Errorf("more than %d lines", maxLines)
	errLong  = fmt.Errorf("longer than %d MiB", maxLine>>20)
	errLarge = fmt.Errorf("larger than %d MiB", maxEvents>>20)
)

// FirstAndLast returns the first and the last event of the run whose directory is dir. An
// event that is missing or malformed is the zero Event.
func FirstAndLast(dir string) (first, last Event, err error) {
	f, err := Open(dir, EventsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return first, last, nil
	}
	if err != nil {
		return first, last, err
	}
	defer f.Close()
	line, err := readLine(bufio.NewReader(io.LimitReader(f, maxLine)))
	if err == io.EOF {
		return first, last, nil
	}
	if err != nil {
		return first, last, err
	}
	first, _ = parseEvent(line)
	end, _, err := file.ReadEnd(f, maxLastEvent)
	if err != nil {
		return first, last, err
	}
	end, whole := bytes.CutSuffix(end, []byte("\n"))
	if whole {
		last, _ = parseEvent(end[bytes.LastIndexByte(end, '\n')+1:])
	}
	return first, last, nil
}

// maxLastEvent is larger than the event that ends a run, in bytes.
const maxLastEvent = 4 << 10
