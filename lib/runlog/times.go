package runlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A combined log has no times, so that any program can read it. Next to it is a file with
// lines "OFFSET TIME": the bytes of the log from the offset on were written at the time or
// later.

// timesSuffix is added to the path of a combined log for the path of its times.
const timesSuffix = ".times"

// timesEvery is the time between two lines of the times, and so their precision.
const timesEvery = 100 * time.Millisecond

// LineTime is the format of the times of lines: RFC 3339 in milliseconds, in UTC.
const LineTime = "2006-01-02T15:04:05.000Z"

// Now returns the current time in the format LineTime.
func Now() string { return time.Now().UTC().Format(LineTime) }

// stamp records the time of the output that follows.
func (l *RunLog) stamp() {
	now := time.Now()
	if now.Sub(l.stamped) < timesEvery {
		return
	}
	l.stamped = now
	if l.ending == nil {
		if info, err := l.file.Stat(); err == nil { // other processes may append lines, too
			l.writeTime(info.Size(), now)
		}
		return
	}
	for len(l.endTimes) > 1 && l.endTimes[1].at <= l.ending.dropped {
		l.endTimes = l.endTimes[1:]
	}
	l.endTimes = append(l.endTimes, endTime{l.ending.size(), now})
}

// writeTime writes the time of the part of the log from offset on. If that fails, the log
// has no further times.
func (l *RunLog) writeTime(offset int64, t time.Time) {
	if l.times == nil {
		return
	}
	if _, err := fmt.Fprintf(l.times, "%d %s\n", offset, t.UTC().Format(LineTime)); err != nil {
		l.times.Close()
		l.times = nil
	}
}

// LineTimes returns the times at which parts of a combined log were written. It reads only
// as far as needed, so it can follow a log that grows.
type LineTimes struct {
	file *os.File
	in   *bufio.Reader
	part []byte // the beginning of a line

	now  string // the time of the last offset
	next string // the time from the offset from on; "" if it is not known
	from int64
}

// OpenTimes opens the times of the combined log at path.
func OpenTimes(path string) (*LineTimes, error) {
	file, err := os.OpenFile(path+timesSuffix, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return &LineTimes{file: file, in: bufio.NewReader(file)}, nil
}

// Close closes the file.
func (t *LineTimes) Close() error { return t.file.Close() }

// At returns when the byte at offset was written, in the format LineTime; "" if that is
// not known. Each offset must be at least the one before.
func (t *LineTimes) At(offset int64) string {
	for t.next != "" || t.read() {
		if t.from > offset {
			break
		}
		t.now, t.next = t.next, ""
	}
	return t.now
}

// read reads the next valid line. It returns false if none is complete yet.
func (t *LineTimes) read() bool {
	for {
		line, err := t.in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(t.part) < len(LineTime) {
			t.part = append(t.part, line...)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		line = append(t.part, bytes.TrimSuffix(line, []byte("\n"))...)
		t.part = t.part[:0]
		at, stamp, _ := bytes.Cut(line, []byte(" "))
		from, notNumber := strconv.ParseInt(string(at), 10, 64)
		_, notTime := time.Parse(LineTime, string(stamp))
		if notNumber == nil && notTime == nil {
			t.from, t.next = from, string(stamp)
			return true
		}
	}
}
