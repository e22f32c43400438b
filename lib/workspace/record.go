package workspace

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A record tells what a workspace was when it was whole, so that what nobody touched
// need not be read to be sure of it. It is a file beside the workspace: a line
// `quire-record 3`, and for each regular file, and each directory with nothing in it
// but what its tree object has, a line
//
//	<inode> <size> <modified> <changed> <object id>
//
// of numbers in 16 hexadecimal digits, times in nanoseconds since 1970. Of a file that
// attributes change the id is another, see changed. After an empty line follow the tree
// objects, see parseTrees.
//
// What was written here and still has that inode and those times has its contents,
// too, or its names: every change of contents, mode, names or links sets the time of
// change, which no system call sets back.
type record struct {
	trees   trees
	text    []byte           // the lines
	line    int              // length of each
	at      map[uint64]int32 // of an inode, the offset of its line
	written int64            // when the record was
}

const (
	recordHeader = "quire-record 3\n"
	stampNumbers = 4
	stampLength  = stampNumbers * (16 + 1) // of a line, up to the object id
)

// loadRecord reads a record. One that is not there or not in order proves nothing.
func loadRecord(name string) *record {
	info, err := os.Stat(name)
	if err != nil {
		return &record{}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return &record{}
	}
	r := parseRecord(text)
	r.written = info.ModTime().UnixNano()
	return r
}

// parseRecord takes lines apart no further than to find them again: thousands are
// compared, and not one need be understood.
func parseRecord(text []byte) *record {
	rest, ok := bytes.CutPrefix(text, []byte(recordHeader))
	end := bytes.Index(rest, []byte("\n\n")) + 1
	lines := rest[:end]
	line := bytes.IndexByte(lines, '\n') + 1
	if !ok || line <= stampLength || len(lines)%line != 0 {
		return &record{}
	}
	r := &record{text: lines, line: line, at: make(map[uint64]int32, len(lines)/line)}
	for at := 0; at < len(lines); at += line {
		var inode [8]byte
		if _, err := hex.Decode(inode[:], lines[at:at+16]); err != nil || lines[at+line-1] != '\n' {
			return &record{}
		}
		r.at[binary.BigEndian.Uint64(inode[:])] = int32(at)
	}
	r.trees = parseTrees(rest[end+1:], string(lines[stampLength:line-1]))
	return r
}

// oid returns the id of the object that st is of, "" where the record does not know.
//
// What changed as late as the record was written it does not know either: clocks of
// file systems tick every few milliseconds, and a change within the same tick would
// not show.
func (r *record) oid(st *unix.Stat_t) string {
	at, ok := r.at[st.Ino]
	if !ok || unix.TimespecToNsec(st.Ctim) >= r.written {
		return ""
	}
	var buffer [stampLength]byte
	line := r.text[at:][:r.line-1]
	if !bytes.HasPrefix(line, newStamp(st).append(buffer[:0])) {
		return ""
	}
	return string(line[stampLength:])
}

// stamp is what proves that a file or a directory was not touched.
type stamp [stampNumbers]uint64

func newStamp(st *unix.Stat_t) stamp {
	return stamp{st.Ino, uint64(st.Size), uint64(unix.TimespecToNsec(st.Mtim)), uint64(unix.TimespecToNsec(st.Ctim))}
}

// append appends the stamp as a line of a record begins.
func (s stamp) append(b []byte) []byte {
	var bits [8]byte
	var text [stampLength]byte
	for i, n := range s {
		binary.BigEndian.PutUint64(bits[:], n)
		hex.Encode(text[17*i:], bits[:])
		text[17*i+16] = ' '
	}
	return append(b, text[:]...)
}

// recorder collects the stamps of what a plan has. Workers may set those of
// different files or directories at once.
type recorder struct {
	plan        *plan
	files, dirs []stamp // by index; zero for what is not recorded
	changed     changed // what has another id than its object's
	late        int64   // when the last of those that git wrote was changed
}

func newRecorder(p *plan) *recorder {
	return &recorder{plan: p, files: make([]stamp, len(p.files)), dirs: make([]stamp, len(p.dirs))}
}

// addDirs adds the directories that were made or touched, as they are now.
func (r *recorder) addDirs(root fd) error {
	for i, s := range r.dirs {
		if s == (stamp{}) && r.plan.dirs[i].oid != "" {
			st, err := root.lstat(r.plan.dirs[i].path)
			if err != nil {
				return err
			}
			r.dirs[i] = newStamp(&st)
		}
	}
	return nil
}

// addChanged adds those of files that were written by git, as they are now.
func (r *recorder) addChanged(root fd, changed changed, files []int32) error {
	r.changed = changed
	for _, file := range files {
		if changed[file] == "" {
			continue
		}
		st, err := root.lstat(r.plan.path(&r.plan.files[file]))
		if err != nil {
			return err
		}
		r.files[file] = newStamp(&st)
		r.late = max(r.late, unix.TimespecToNsec(st.Ctim))
	}
	return nil
}

// save writes the record to a new file.
func (r *recorder) save(name string) error {
	const most = stampLength + 64 + 1 // bytes of a line
	text := make([]byte, 0, len(recordHeader)+most*(len(r.files)+len(r.dirs))+r.plan.trees.size())
	text = append(text, recordHeader...)
	add := func(s stamp, oid string) {
		if s != (stamp{}) && oid != "" {
			text = append(append(s.append(text), oid...), '\n')
		}
	}
	for i, s := range r.dirs {
		add(s, r.plan.dirs[i].oid)
	}
	for i, s := range r.files {
		oid, ok := r.changed[int32(i)]
		if !ok {
			oid = r.plan.files[i].oid
		}
		add(s, oid)
	}
	text = r.plan.trees.append(append(text, '\n'))
	if err := os.WriteFile(name, text, 0o600); err != nil {
		return err
	}
	return r.await(name)
}

// await has the record be later than what git wrote, if that takes a few milliseconds.
// Else it does not know that yet, see oid: of other files the contents can tell then, but
// these would be written each time.
func (r *recorder) await(name string) error {
	const tries = 10
	for range tries {
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil || unix.TimespecToNsec(st.Mtim) > r.late {
			return err
		}
		time.Sleep(time.Millisecond)
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, name, now, 0); err != nil {
			return err
		}
	}
	return nil
}
