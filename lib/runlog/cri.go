package runlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quire/lib/text"
)

// TimeFormat is the format of times, in UTC: RFC 3339 with nine digits after the second, so
// that all times have the same length and sort as text.
const TimeFormat = "2006-01-02T15:04:05.000000000Z"

// A Log is the log file of one command, in the format of quire-events(5), which is also the
// format of Kubernetes' container runtime interface.
type Log struct {
	path string

	mu      sync.Mutex
	file    *os.File // nil until there is something to write
	streams []*Stream
	err     error // the first failure to write
}

// NewLog returns a log that creates its file, path, which must not exist, and the directory
// of the file with the first record. So a command that prints nothing leaves no file.
func NewLog(path string) *Log { return &Log{path: path} }

// CreateLog returns a log whose file exists at once, for readers that follow it.
func CreateLog(path string) (*Log, error) {
	l := NewLog(path)
	if err := l.create(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Log) create() (err error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	return err
}

// Stream returns a writer for the output of the command on the stream name, "stdout" or
// "stderr". Different goroutines may write to the streams of a log. A write never fails: a
// full disk that only affects the log must not stop the command. Close returns the error.
func (l *Log) Stream(name string) *Stream {
	s := &Stream{log: l, name: name}
	s.lines.Emit = s.record
	l.streams = append(l.streams, s)
	return s
}

// Close writes the unterminated last lines and closes the file. Its error is the
// first failure of any write.
func (l *Log) Close() error {
	for _, s := range l.streams {
		s.Flush()
	}
	if l.file != nil {
		if err := l.file.Close(); l.err == nil {
			l.err = err
		}
	}
	if l.err != nil {
		return fmt.Errorf("cannot write log '%s': %w", l.path, text.Cause(l.err))
	}
	return nil
}

// A Stream is a stream of a log. It is not safe for concurrent use.
type Stream struct {
	log   *Log
	name  string
	lines Lines
	stamp []byte       // the time of the current write
	out   bytes.Buffer // the records of the current write
}

// Write appends the lines of p as records with the time of this call, in one write to the
// file.
func (s *Stream) Write(p []byte) (int, error) {
	s.stamp = time.Now().UTC().AppendFormat(s.stamp[:0], TimeFormat)
	s.lines.Write(p)
	s.pass()
	return len(p), nil
}

// Flush writes the beginning of a line that has no newline yet, as a record of a part of a
// line. The rest of the line becomes another record.
func (s *Stream) Flush() {
	s.stamp = time.Now().UTC().AppendFormat(s.stamp[:0], TimeFormat)
	s.lines.Flush()
	s.pass()
}

func (s *Stream) record(text []byte, full bool) {
	s.out.Write(s.stamp)
	s.out.WriteByte(' ')
	s.out.WriteString(s.name)
	if full {
		s.out.WriteString(" F ")
	} else {
		s.out.WriteString(" P ")
	}
	s.out.Write(text)
	s.out.WriteByte('\n')
}

func (s *Stream) pass() {
	if s.out.Len() == 0 {
		return
	}
	defer s.out.Reset()
	s.log.write(s.out.Bytes())
}

// write appends records. After a failure it writes nothing, because the text after an
// incomplete record would not be a record.
func (l *Log) write(records []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.file == nil {
		l.err = l.create()
	}
	if l.err == nil {
		_, l.err = l.file.Write(records)
	}
}
