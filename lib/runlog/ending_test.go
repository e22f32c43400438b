package runlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// numbered returns n lines of 16 bytes, each with its number.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %10d\n", i)
	}
	return b.String()
}

// A log that is too long keeps its beginning and its end, and says exactly how much is
// missing between them.
func TestBoundedLogs(t *testing.T) {
	x := strings.Repeat("x", 1<<20)
	binary := bytes.Repeat([]byte{0, 0xff, '\r', '\n', 0x80, 'a'}, 100_000)
	for _, test := range []struct {
		name, output string
		most         uint64
		whole        bool // nothing is missing
	}{
		{"short", "one\ntwo\n", 1 << 20, true},
		{"no bound", numbered(100_000), 0, true},
		{"only the end is beyond", numbered(1000), 1 << 10, true},
		{"many lines", numbered(200_000), 1 << 20, false},
		{"many lines, small bound", numbered(100_000), 1, false},
		{"many lines without an end", numbered(100_000) + "the end", 1 << 10, false},
		{"empty lines", strings.Repeat("\n", 1<<20), 1 << 16, false},
		{"one endless line", x + x, 1 << 18, false},
		{"one endless line of characters", strings.Repeat("\u20ac", 300_000), 1 << 18, false},
		{"a long line at last", numbered(10_000) + x + "\n", 1 << 10, false},
		{"binary", string(binary), 1 << 16, false},
	} {
		for _, piece := range []int{64 << 10, 1000, 7} {
			if piece == 7 && len(test.output) > 1<<20 {
				continue
			}
			t.Run(fmt.Sprintf("%s by %d", test.name, piece), func(t *testing.T) {
				dir := t.TempDir()
				command := NewLog(filepath.Join(dir, "sh-1.log"), test.most)
				combined, err := OpenRunLog(filepath.Join(dir, "log"), test.most)
				if err != nil {
					t.Fatal(err)
				}
				stdout := command.Stream("stdout")
				for rest := []byte(test.output); len(rest) > 0; {
					n := min(piece, len(rest))
					stdout.Write(rest[:n])
					combined.Write(rest[:n])
					rest = rest[n:]
				}
				if err := errors.Join(command.Close(), combined.Close()); err != nil {
					t.Fatal(err)
				}
				overhead := 2*int64(MaxEntry) + 4096
				checkCommandLog(t, filepath.Join(dir, "sh-1.log"), test.output, test.whole, int64(test.most)+endSize+overhead)
				checkRunLog(t, filepath.Join(dir, "log"), test.output, test.whole, int64(test.most)+endSize+overhead)
			})
		}
	}
}

// checkSize checks the size of a log that has a bound.
func checkSize(t *testing.T, path string, size, most int64, whole bool) {
	t.Helper()
	if !whole && size > most {
		t.Errorf("%s has %d bytes, want at most %d", path, size, most)
	}
}

func checkCommandLog(t *testing.T, path, output string, whole bool, most int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkSize(t, path, int64(len(data)), most, whole)
	var lines []string // without their times
	for line := range strings.Lines(string(data)) {
		lines = append(lines, strings.TrimSuffix(line[len(TimeFormat)+1:], "\n"))
	}
	var parts [2]strings.Builder // before and after the cut
	at, lost := 0, int64(0)
	for i, line := range lines {
		switch text, ok := strings.CutPrefix(line, "stderr F "); {
		case ok && strings.HasPrefix(text, leftOutBegin):
			at = 1
		case ok:
			if _, err := fmt.Sscanf(text, "quire: %d bytes of output are missing here", &lost); err != nil {
				t.Errorf("entry %d is %q", i, line)
			}
		case strings.HasPrefix(line, "stdout P "):
			parts[at].WriteString(line[len("stdout P "):])
		case i+1 < len(lines) && strings.HasPrefix(lines[i+1], "stderr F "+leftOutBegin) && line == "stdout F " && !strings.HasPrefix(output[parts[0].Len():], "\n"):
			// it ends the line that is cut
		default:
			parts[at].WriteString(line[len("stdout F "):] + "\n")
		}
	}
	checkParts(t, path, parts[0].String(), parts[1].String(), lost, output, whole)
}

func checkRunLog(t *testing.T, path, output string, whole bool, most int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkSize(t, path, int64(len(data)), most, whole)
	head, rest, cut := strings.Cut(string(data), leftOutBegin)
	if !cut {
		checkParts(t, path, head, "", 0, output, whole)
		return
	}
	if !strings.HasPrefix(output, head) {
		head = strings.TrimSuffix(head, "\n") // of a line that is cut
	}
	_, rest, _ = strings.Cut(rest, "\n")
	var lost int64
	if _, err := fmt.Sscanf(rest, "quire: %d bytes of output are missing here", &lost); err == nil {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	checkParts(t, path, head, rest, lost, output, whole)
}

// checkParts checks that output begins with head and ends with end, and that lost bytes are between
// them.
func checkParts(t *testing.T, path, head, end string, lost int64, output string, whole bool) {
	t.Helper()
	if !strings.HasPrefix(output, head) || !strings.HasSuffix(output, end) {
		t.Errorf("%s has not the beginning or not the end of the output: %.50q, %.50q", path, head, end)
	}
	if utf8.ValidString(output) && !utf8.ValidString(end) && filepath.Base(path) == "log" {
		t.Errorf("the end in %s begins with a part of a character", path)
	}
	if n := int64(len(head)+len(end)) + lost; n != int64(len(output)) {
		t.Errorf("%s has %d and %d bytes, and says that %d are missing, of %d", path, len(head), len(end), lost, len(output))
	}
	if whole != (lost == 0) {
		t.Errorf("%s says that %d bytes are missing", path, lost)
	}
	if !whole && len(end) < endSize/(entryHead+1) {
		t.Errorf("%s ends with %d bytes of the output", path, len(end))
	}
}

// A cut in one stream does not join the lines of another one.
func TestBoundedStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sh-1.log")
	log := NewLog(path, 200)
	stdout, stderr := log.Stream("stdout"), log.Stream("stderr")
	io.WriteString(stderr, "half")
	stderr.Flush()
	io.WriteString(stdout, numbered(1)) // fits
	io.WriteString(stdout, numbered(10))
	io.WriteString(stderr, " more\n")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := entries(t, path)
	var want []string
	for line := range strings.Lines(numbered(3)) {
		want = append(want, "stdout F "+strings.TrimSuffix(line, "\n"))
	}
	if len(got) < 6 || got[0] != "stderr P half" || got[1] != want[0] || got[len(got)-1] != "stderr F  more" {
		t.Fatalf("%q", got)
	}
	for i, line := range got {
		if strings.HasPrefix(line, "stderr F "+leftOutBegin) && got[i-1] != "stderr F " {
			t.Errorf("%q before the cut does not end the line of stderr", got[i-1])
		}
	}
}

// A secret at the cut, or where the end begins, is not in the log.
func TestSecretsAtTheCut(t *testing.T) {
	const secret = "s3cret-value-of-some-length"
	redactor := NewRedactor(map[string]string{"token": secret})
	for shift := range 2 * len(secret) {
		path := filepath.Join(t.TempDir(), "sh-1.log")
		log := NewLog(path, 2000)
		combined, err := OpenRunLog(path+".all", 2000)
		if err != nil {
			t.Fatal(err)
		}
		w := redactor.Writer(io.MultiWriter(log.Stream("stdout"), combined))
		output := strings.Repeat("x", shift) + strings.Repeat(secret+" ", 10_000) + "\n" + strings.Repeat(secret+"\n", 10_000)
		for len(output) > 0 {
			n := min(1000, len(output))
			io.WriteString(w, output[:n])
			output = output[n:]
		}
		if err := errors.Join(w.Flush(), log.Close(), combined.Close()); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{path, path + ".all"} {
			data, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(data, []byte("are missing here")) {
				t.Fatalf("%.300q, %v", data, err)
			}
			if bytes.Contains(data, []byte("s3cret")) || bytes.Contains(data, []byte("length")) {
				t.Fatalf("with shift %d, %s has a part of the secret", shift, path)
			}
		}
	}
}

// A log whose writer was killed lacks its end, and that can be told.
func TestLacksEnd(t *testing.T) {
	for _, test := range []struct {
		name  string
		write func(*RunLog, *Stream)
		close bool
		want  bool
	}{
		{"empty", func(*RunLog, *Stream) {}, false, false},
		{"short", func(l *RunLog, s *Stream) { io.WriteString(io.MultiWriter(l, s), "a\n") }, false, false},
		{"killed", func(l *RunLog, s *Stream) { io.WriteString(io.MultiWriter(l, s), numbered(1000)) }, false, true},
		{"killed in a line", func(l *RunLog, s *Stream) { io.WriteString(io.MultiWriter(l, s), strings.Repeat("x", 1<<20)) }, false, true},
		{"ended", func(l *RunLog, s *Stream) { io.WriteString(io.MultiWriter(l, s), numbered(1000)) }, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			combined, err := OpenRunLog(path, 100)
			if err != nil {
				t.Fatal(err)
			}
			command, err := CreateLog(path+"2", 100)
			if err != nil {
				t.Fatal(err)
			}
			test.write(combined, command.Stream("stdout"))
			if test.close {
				if err := errors.Join(combined.Close(), command.Close()); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{path, path + "2"} {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if got := LacksEnd(f); got != test.want {
					t.Errorf("%s: %v, want %v", path, got, test.want)
				}
			}
			if err := EndRunLog(path, "quire: %s", "orphaned"); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil || !strings.HasSuffix(string(data), "quire: orphaned\n") ||
				strings.Contains(string(data), EndMissing+"\nquire: orphaned\n") != test.want {
				t.Errorf("%.300q, %v", data, err)
			}
		})
	}
}

// The lines of the end of a combined log have the times at which they were printed.
func TestTimesOfTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, err := OpenRunLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(log, numbered(100_000))
	time.Sleep(timesEvery)
	before := time.Now().Add(-timesEvery)
	log.Note("quire: noted")
	after := time.Now()
	time.Sleep(3 * timesEvery)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	times, err := OpenTimes(path)
	if err != nil {
		t.Fatal(err)
	}
	defer times.Close()
	at, err := time.Parse(LineTime, times.At(int64(bytes.Index(data, []byte("quire: noted")))))
	if err != nil || at.Before(before) || at.After(after) {
		t.Errorf("the time is %v, want between %v and %v: %v", at, before, after, err)
	}
	if _, err := OpenRunLog(path+"2", 0); err != nil {
		t.Error(err)
	}
	if err := os.Symlink("/dev/null", path+"3"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRunLog(path+"3", 0); err == nil {
		t.Error("a symbolic link was followed")
	}
}

// TestRunLogOnAFullDisk checks what a log ends with if its disk was full for a while.
func TestRunLogOnAFullDisk(t *testing.T) {
	long := numbered(endSize)
	const said = "\nquire: cannot write this log: no space left on device; output is missing here\n"
	for _, test := range []struct{ name, before, after, want string }{
		{"nothing more", "one\ntw", "", "one\ntw"},
		{"little more", "one\ntw", "o\nfailed: x\n", "one\ntw" + said + "o\nfailed: x\n"},
		{"much more", "one\n", long + "failed: x\n", "one\n" + said + long[len(long)-endSize+16:] + "failed: x\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			log, err := OpenRunLog(path, 0)
			if err != nil {
				t.Fatal(err)
			}
			log.Write([]byte(test.before))
			file := log.file
			if log.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
				t.Skip(err)
			}
			for line := range strings.Lines(test.after) {
				log.Write([]byte(line))
			}
			if test.after != "" && !errors.Is(log.err, unix.ENOSPC) {
				t.Fatalf("the disk is not full: %v", log.err)
			}
			log.file.Close()
			log.file = file
			if err := log.Close(); err != nil {
				t.Error(err)
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != test.want {
				t.Errorf("the log is %.300q, want %.300q (%v)", got, test.want, err)
			}
		})
	}
}
