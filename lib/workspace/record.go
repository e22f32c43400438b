package workspace

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A record tells what a workspace was when it was whole, so that a file nobody
// touched need not be read to be sure of it. It is a file beside the workspace:
// a line `quire-record 1`, and for each regular file an entry that ends with a NUL,
//
//	<object id> <inode> <size> <modified> <changed> <path>
//
// times in nanoseconds since 1970. A file that was written here and still has that
// inode and those times has its contents, too: every change of contents, mode or
// links sets the time of change, which no system call sets back.
const recordHeader = "quire-record 1\n"

// stamp is what proves that a file was not touched.
type stamp struct {
	oid      string
	inode    uint64
	size     int64
	modified int64
	changed  int64
}

func newStamp(oid string, st *unix.Stat_t) stamp {
	return stamp{oid, st.Ino, st.Size, unix.TimespecToNsec(st.Mtim), unix.TimespecToNsec(st.Ctim)}
}

// recorder collects the stamps of a plan's files. Workers may set those of
// different files at once.
type recorder struct {
	plan   *plan
	stamps []stamp // by index of the file; zero for what is not recorded
}

func newRecorder(p *plan) *recorder {
	return &recorder{plan: p, stamps: make([]stamp, len(p.files))}
}

func (r *recorder) set(i int32, st *unix.Stat_t) {
	r.stamps[i] = newStamp(r.plan.files[i].oid, st)
}

// save writes the record to a new file.
func (r *recorder) save(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 64<<10)
	w.WriteString(recordHeader)
	for i, s := range r.stamps {
		if s.oid != "" {
			w.Write(s.entry(w.AvailableBuffer(), r.plan.path(&r.plan.files[i])))
		}
	}
	return w.Flush() // has the first error of all
}

// entry appends the stamp of path to b, as it stands in a record.
func (s *stamp) entry(b []byte, path string) []byte {
	b = append(append(b, s.oid...), ' ')
	b = append(strconv.AppendUint(b, s.inode, 10), ' ')
	for _, n := range []int64{s.size, s.modified, s.changed} {
		b = append(strconv.AppendInt(b, n, 10), ' ')
	}
	return append(append(b, path...), 0)
}

// loadRecord reads a record: the stamps by path. One that is not there or not in
// order proves nothing and is empty.
//
// A file that changed as late as the record was written is left out: clocks of
// file systems tick every few milliseconds, and a change within the same tick
// would not show.
func loadRecord(name string) map[string]stamp {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	stamps, err := parseRecord(string(text))
	if err != nil {
		return nil
	}
	written := info.ModTime().UnixNano()
	for path, s := range stamps {
		if s.changed >= written {
			delete(stamps, path)
		}
	}
	return stamps
}

func parseRecord(text string) (map[string]stamp, error) {
	text, ok := strings.CutPrefix(text, recordHeader)
	if !ok || text != "" && !strings.HasSuffix(text, "\x00") {
		return nil, fmt.Errorf("not a whole record")
	}
	stamps := make(map[string]stamp, strings.Count(text, "\x00"))
	for text != "" {
		var entry string
		entry, text, _ = strings.Cut(text, "\x00")
		fields := strings.SplitN(entry, " ", 6)
		if len(fields) != 6 {
			return nil, fmt.Errorf("an entry of %d fields", len(fields))
		}
		s := stamp{oid: fields[0]}
		var err error
		if s.inode, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
			return nil, err
		}
		for i, to := range []*int64{&s.size, &s.modified, &s.changed} {
			if *to, err = strconv.ParseInt(fields[2+i], 10, 64); err != nil {
				return nil, err
			}
		}
		stamps[fields[5]] = s
	}
	return stamps, nil
}
