package runlog

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// MaxRunLog is how large the combined log of a run may get, in bytes. The logs of the
// commands have the rest of their output.
const MaxRunLog = 256 << 20

// A RunLog writes the combined log of a run: the output of all its jobs, in order. It is
// safe for concurrent use.
type RunLog struct {
	mu   sync.Mutex
	file *os.File
	left int64 // until MaxRunLog
	full bool
	part bool  // the last line is not complete
	err  error // the first failure to write

	tail    []byte   // the end of the output since the failure
	reserve *os.File // occupies room for tail; nil if it could not be reserved

	times   *os.File  // nil if it cannot be written
	stamped time.Time // when the last time was written
}

// OpenRunLog opens the combined log at path, and creates it if it is missing.
func OpenRunLog(path string) (*RunLog, error) {
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write '%s': %w", path, text.Cause(err))
	}
	info, err := log.Stat()
	if err != nil {
		log.Close()
		return nil, fmt.Errorf("cannot write '%s': %w", path, text.Cause(err))
	}
	times, err := os.OpenFile(path+timesSuffix, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		times = nil // the log is more important
	}
	reserve, _ := file.Reserve(filepath.Dir(path), 2*maxTail) // nil on a full disk
	return &RunLog{file: log, left: MaxRunLog - info.Size(), times: times, reserve: reserve}, nil
}

// AppendRunLog appends a line from quire itself, formatted as by fmt.Sprintf, to the
// combined log at path.
func AppendRunLog(path, format string, args ...any) error {
	l, err := OpenRunLog(path)
	if err != nil {
		return err
	}
	l.Note(format, args...)
	return l.Close()
}

// Write appends output of jobs. It never fails, because a full disk that only affects the log
// must not stop the jobs. Close then writes the end of the output. Output beyond MaxRunLog is
// omitted, and a line says so.
func (l *RunLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.full:
	case int64(len(p)) <= l.left:
		l.append(p)
	default:
		l.append(p[:bytes.LastIndexByte(p[:max(0, l.left)], '\n')+1])
		l.note(fmt.Sprintf("quire: this log has reached %d MiB; the logs of the jobs have the rest of the output\n", MaxRunLog>>20))
		l.full = true
	}
	return len(p), nil
}

// Note appends a line from quire itself, even if the log is full. The line is formatted as
// by fmt.Sprintf.
func (l *RunLog) Note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(fmt.Sprintf(format, args...) + "\n")
}

func (l *RunLog) note(line string) {
	if l.part {
		line = "\n" + line
	}
	l.append([]byte(line))
}

func (l *RunLog) append(p []byte) {
	if len(p) == 0 {
		return
	}
	if l.err == nil {
		l.stamp()
		var n int
		n, l.err = l.file.Write(p)
		l.left -= int64(n)
		if l.err != nil {
			l.keep(p[n:])
		}
	} else {
		l.keep(p)
	}
	l.part = p[len(p)-1] != '\n'
}

// Close closes the log, if l is not nil. The error says that output is missing, and that the
// log itself does not say so.
func (l *RunLog) Close() error {
	if l == nil {
		return nil
	}
	failure := l.writeTail()
	if l.reserve != nil {
		l.reserve.Close()
	}
	if l.times != nil {
		l.times.Close()
	}
	if err := cmp.Or(failure, l.file.Close()); err != nil {
		return fmt.Errorf("cannot write '%s': %w", l.file.Name(), text.Cause(err))
	}
	return nil
}
