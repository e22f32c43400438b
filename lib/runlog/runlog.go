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

// A RunLog writes the combined log of a run: the output of all its jobs, in order. It is
// safe for concurrent use.
type RunLog struct {
	mu   sync.Mutex
	file *os.File
	most uint64 // bytes of the beginning; 0: no bound
	size uint64 // bytes of the file
	part bool   // the last line is not complete
	err  error  // the first failure to write

	ending   *ending   // the output after the beginning, or since a failure; nil until then
	endTimes []endTime // of ending
	reserve  *os.File  // occupies room for ending; nil if it could not be reserved

	times   *os.File  // nil if it cannot be written
	stamped time.Time // when the last time was written
}

// OpenRunLog opens the combined log at path, and creates it if it is missing. If the log
// gets longer than most bytes, output is left out, see Write; 0 is no bound.
func OpenRunLog(path string, most uint64) (*RunLog, error) {
	log, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
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
	reserve, _ := file.Reserve(filepath.Dir(path), 2*endSize) // nil on a full disk
	var last [1]byte
	if info.Size() > 0 {
		_, _ = log.ReadAt(last[:], info.Size()-1)
	}
	return &RunLog{
		file: log, most: most, size: uint64(info.Size()), part: info.Size() > 0 && last[0] != '\n',
		times: times, reserve: reserve,
	}, nil
}

// AppendRunLog appends a line from quire itself, formatted as by fmt.Sprintf, to the
// combined log at path.
func AppendRunLog(path, format string, args ...any) error {
	l, err := OpenRunLog(path, 0)
	if err != nil {
		return err
	}
	l.Note(format, args...)
	return l.Close()
}

// EndRunLog is AppendRunLog for a run whose driver was killed. If the driver had output in
// memory, another line says that it is missing.
func EndRunLog(path, format string, args ...any) error {
	l, err := OpenRunLog(path, 0)
	if err != nil {
		return err
	}
	if LacksEnd(l.file) {
		l.Note("%s", EndMissing)
	}
	l.Note(format, args...)
	return l.Close()
}

// Write appends output of jobs. It never fails, because a full disk that only affects the log
// must not stop the jobs. Output that would make the log too long is left out, and a line
// says so. Close then writes the end of the output, as it does after a failed write.
func (l *RunLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := len(p)
	if l.ending == nil && l.most > 0 && l.size+uint64(len(p)) > l.most {
		fits := min(uint64(len(p)), l.most-min(l.most, l.size))
		lines := bytes.LastIndexByte(p[:fits], '\n') + 1
		l.append(p[:lines])
		l.note(leftOutLine(l.most) + "\n")
		if l.ending == nil {
			l.ending = new(ending)
		}
		p = p[lines:]
	}
	l.append(p)
	return size, nil
}

// Note appends a line from quire itself, formatted as by fmt.Sprintf. If output is left out,
// the line is part of the end of the log.
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
	l.part = p[len(p)-1] != '\n'
	l.stamp()
	if l.ending == nil {
		var n int
		n, l.err = l.file.Write(p)
		l.size += uint64(n)
		if l.err == nil {
			return
		}
		l.ending, p = new(ending), p[n:]
	}
	l.ending.add(p)
}

// Close closes the log, if l is not nil. The error says that output is missing, and that the
// log itself does not say so.
func (l *RunLog) Close() error {
	if l == nil {
		return nil
	}
	failure := l.writeEnding()
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
