package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInfo(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, "--object-format="+format)
			f.write(".quire/ci.fnl", "(x)")
			commit := f.commit("one")
			f.git("tag", "-a", "-m", "m", "v1")
			blob := f.git("rev-parse", "HEAD:.quire/ci.fnl")
			o := f.objects()
			tests := []struct {
				spec string
				want Info
				err  error
			}{
				{"v1^{commit}", Info{OID: commit, Type: "commit", Size: int64(len(f.git("cat-file", "commit", "HEAD"))) + 1}, nil},
				{commit + ":.quire/ci.fnl", Info{OID: blob, Type: "blob", Size: 3}, nil},
				{commit + ":.quire/ci.lua", Info{}, ErrMissing},
				{blob + "^{commit}", Info{}, ErrMissing},
				{strings.Repeat("0", len(commit)), Info{}, ErrMissing},
				{"", Info{}, ErrMissing},
				{"a\nHEAD", Info{}, ErrMissing},
				{"HEAD\x00", Info{}, ErrMissing},
				{"no such thing at all", Info{}, ErrMissing},
				{"--help", Info{}, ErrMissing},
				{"HEAD:.quire/ci.fnl", Info{OID: blob, Type: "blob", Size: 3}, nil}, // answers are still in step
			}
			specs := make([]string, len(tests))
			for i, tt := range tests {
				specs[i] = tt.spec
				info, err := o.Info(tt.spec)
				if diff := cmp.Diff(tt.want, info); diff != "" || !errors.Is(err, tt.err) {
					t.Errorf("Info(%q): %v %s", tt.spec, err, diff)
				}
			}
			infos, errs := o.InfoAll(specs)
			for i, tt := range tests {
				if diff := cmp.Diff(tt.want, infos[i]); diff != "" || !errors.Is(errs[i], tt.err) {
					t.Errorf("InfoAll: %q: %v %s", tt.spec, errs[i], diff)
				}
			}
		})
	}
}

// More questions than both pipes hold: asking all before reading would block forever.
func TestManyQuestions(t *testing.T) {
	f := newFixture(t)
	f.write("file", strings.Repeat("x", 5000))
	commit := f.commit("one")
	o := f.objects()
	specs := make([]string, 20000)
	for i := range specs {
		specs[i] = commit + ":file"
		if i%2 == 1 {
			specs[i] = fmt.Sprintf("%s:missing/%d", commit, i)
		}
	}
	_, errs := o.InfoAll(specs)
	for i, err := range errs {
		if (i%2 == 1) != errors.Is(err, ErrMissing) {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	blob := f.git("rev-parse", "HEAD:file")
	oids := make([]string, 2000)
	for i := range oids {
		oids[i] = blob
	}
	count := 0
	err := o.ReadAll(oids, func(i int, in Info, body io.Reader) error {
		count++
		if i%3 == 0 { // contents that are not read must not be taken for the next answer
			return nil
		}
		data, err := io.ReadAll(body)
		if len(data) != 5000 {
			t.Errorf("read %d bytes", len(data))
		}
		return err
	})
	if err != nil || count != len(oids) {
		t.Errorf("ReadAll: %d objects, %v", count, err)
	}
}

func TestRead(t *testing.T) {
	f := newFixture(t)
	f.write("file", "some text")
	f.commit("one")
	o := f.objects()
	data, err := o.Read("HEAD:file", 9)
	if err != nil || string(data) != "some text" {
		t.Errorf("Read: %q %v", data, err)
	}
	if _, err := o.Read("HEAD:file", 8); !errors.Is(err, errTooLarge) {
		t.Errorf("Read over the limit: %v", err)
	}
	if _, err := o.Read("HEAD:none", 8); !errors.Is(err, ErrMissing) {
		t.Errorf("Read of nothing: %v", err)
	}
}

func TestReplaceRefsAreIgnored(t *testing.T) {
	f := newFixture(t)
	f.write("file", "pushed")
	f.commit("one")
	other := f.gitIn("replaced", "hash-object", "-w", "--stdin")
	f.git("replace", f.git("rev-parse", "HEAD:file"), other)
	data, err := f.objects().Read("HEAD:file", 100)
	if err != nil || string(data) != "pushed" {
		t.Errorf("Read: %q %v", data, err)
	}
}

// A damaged object ends git's process. The error says so, and the next question works.
func TestDamagedObject(t *testing.T) {
	f := newFixture(t)
	f.write("bad", strings.Repeat("bad", 100))
	f.write("good", "good")
	f.commit("one")
	bad := f.git("rev-parse", "HEAD:bad")
	path := filepath.Join(f.dir, ".git/objects", bad[:2], bad[2:])
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("junk"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := f.objects()
	_, err := o.Read(bad, 1000)
	if err == nil || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Read: %v", err)
	}
	if data, err := o.Read("HEAD:good", 100); err != nil || string(data) != "good" {
		t.Errorf("Read after it: %q %v", data, err)
	}
}

// Git takes the length of a loose object from its header, but copies the bytes in the file.
func TestObjectOfAnotherLength(t *testing.T) {
	for name, tt := range map[string]struct{ header, contents string }{
		"one less":           {"blob 9", "contents"},
		"much less":          {"blob 10000000", "contents"},
		"as much as follows": {"blob 70", "contents"},
		"beyond all":         {"blob 9223372036854775807", "contents"},
		"one more":           {"blob 7", "contents"},
		"much more":          {"blob 1", strings.Repeat("contents\n", 100_000)},
		"an answer":          {"blob 0", "\n" + strings.Repeat("1", 40) + " blob 4\ngood"},
		"no length":          {"blob ", "contents"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.write("bad", "bad")
			f.write("good", "good")
			f.commit("one")
			bad, good := f.git("rev-parse", "HEAD:bad"), f.git("rev-parse", "HEAD:good")
			text := deflated(tt.header + "\x00" + tt.contents)
			if err := errors.Join(os.Remove(f.looseFile(bad)), os.WriteFile(f.looseFile(bad), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
			o := f.objects()
			// Also before other questions, whose answers it may swallow or imitate.
			for _, specs := range [][]string{{bad}, {bad, good}, {good, bad, good}} {
				err := o.ReadAll(specs, func(_ int, in Info, body io.Reader) error {
					n, err := io.Copy(io.Discard, body)
					if err == nil && n != in.Size {
						err = io.ErrShortWrite
					}
					return err
				})
				if err == nil || strings.Contains(err.Error(), "\n") {
					t.Errorf("ReadAll: %v", err)
				}
				if data, err := o.Read("HEAD:good", 100); err != nil || string(data) != "good" {
					t.Errorf("Read after it: %q %v", data, err)
				}
			}
		})
	}
}

// If a tree is too short, git pads it with zeros.
func TestTreeOfAnotherLength(t *testing.T) {
	f := newFixture(t)
	f.write("file", "contents")
	f.commit("one")
	tree := f.git("rev-parse", "HEAD^{tree}")
	text := deflated("tree 300\x00" + strings.Repeat("100644 file\x00"+strings.Repeat("1", 20), 2))
	if err := errors.Join(os.Remove(f.looseFile(tree)), os.WriteFile(f.looseFile(tree), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	err := f.objects().Trees([]string{tree}, func(int, []byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), tree) {
		t.Errorf("Trees: %v", err)
	}
}

func TestObjectsEndWithContext(t *testing.T) {
	f := newFixture(t)
	f.commit("one")
	ctx, cancel := context.WithCancel(context.Background())
	o, err := f.open().Objects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := o.Info("HEAD"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := o.Info("HEAD"); !errors.Is(err, context.Canceled) {
		t.Errorf("Info: %v, want canceled", err)
	}
	if _, err := f.open().Objects(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Objects: %v, want canceled", err)
	}
}

func TestReadAllStopsAtError(t *testing.T) {
	f := newFixture(t)
	f.write("file", "text")
	f.commit("one")
	o := f.objects()
	blob := f.git("rev-parse", "HEAD:file")
	stop := errors.New("stop")
	err := o.ReadAll([]string{blob, blob}, func(i int, _ Info, body io.Reader) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("ReadAll: %v", err)
	}
	var text bytes.Buffer
	err = o.ReadAll([]string{blob}, func(_ int, _ Info, body io.Reader) error {
		_, err := io.Copy(&text, body)
		return err
	})
	if err != nil || text.String() != "text" {
		t.Errorf("ReadAll after it: %q %v", text.String(), err)
	}
}

func BenchmarkInfo2000(b *testing.B) {
	dir := b.TempDir()
	f := &fixture{t: &testing.T{}, dir: dir}
	f.git("init", "-q")
	f.git("commit", "-q", "--allow-empty", "-m", "one")
	r, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	specs := make([]string, 2000)
	for i := range specs {
		specs[i] = "HEAD^{commit}:.quire/ci.fnl"
	}
	for b.Loop() {
		o, err := r.Objects(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		o.InfoAll(specs)
		o.Close()
	}
}
