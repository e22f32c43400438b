package web

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quire/lib/runstore"
)

// tree returns the files below a directory with their contents.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExport(t *testing.T) {
	f := newFixture(t, "[repo.\"work/**\"]\nweb = true\n")
	run := f.run("work/a b.git", "refs/heads/x/y", active)
	f.fill(run)
	if err := run.Transition(failure1); err != nil {
		t.Fatal(err)
	}
	for range pageRuns + 5 {
		f.run("work/a b.git", "refs/heads/main", active, complete)
	}
	f.run("work/<b>/%2F.git", "refs/heads/main", active)
	f.run("other.git", "refs/heads/main", active, complete)
	dir := filepath.Join(t.TempDir(), "site")
	export := func() {
		t.Helper()
		if err := f.Export(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	export()
	files := tree(t, dir)
	base := "work/a b.git/" + run.ID
	for _, name := range []string{
		"index.html", "style.css", "work/a b.git/index.html", "work/a b.git/feed.atom", "work/a b.git/badge/main.svg",
		"work/a b.git/badge/x/y.svg", base + ".html", base + ".json", base + "/log.html", base + "/build/log.html",
		base + "/%2E%2E/log.html", "work/<b>/%2F.git/index.html",
	} {
		if files[name] == "" {
			t.Errorf("no file %s", name)
		}
	}
	older := 0
	for name, text := range files {
		if strings.Contains(name, "other") || strings.Contains(text, "other.git") {
			t.Errorf("%s is of a hidden repository", name)
		}
		if strings.Contains(name, "before-") {
			older++
		}
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		if strings.Contains(text, " ago<") || strings.Contains(text, ">now<") {
			t.Errorf("%s has a time that depends on the time", name)
		}
		from := &url.URL{Path: "/" + name}
		for _, link := range readPage(t, name, text).links {
			to, err := from.Parse(link)
			if err != nil || files[strings.TrimPrefix(to.Path, "/")] == "" {
				t.Errorf("%s leads to %s, which is no file: %v", name, link, err)
			}
		}
	}
	if older != 1 {
		t.Errorf("%d pages of older runs", older)
	}

	// A second export writes nothing.
	before := map[string]fs.FileInfo{}
	for name := range files {
		before[name], _ = os.Stat(filepath.Join(dir, name))
	}
	export()
	for name, info := range before {
		if now, err := os.Stat(filepath.Join(dir, name)); err != nil || !os.SameFile(now, info) {
			t.Errorf("%s was written again", name)
		}
	}

	// Pages of removed runs and of hidden repositories are removed, with their directories;
	// other files stay.
	if err := os.WriteFile(filepath.Join(dir, "work/mine"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec, err := run.Record()
	if err == nil {
		err = f.store.Remove([]runstore.Record{rec}, func(runstore.Record) {})
	}
	if err != nil {
		t.Fatal(err)
	}
	export()
	for name := range tree(t, dir) {
		if strings.Contains(name, run.ID) {
			t.Errorf("%s stays", name)
		}
	}
	f.write("config.toml", "")
	export()
	if left := tree(t, dir); len(left) != 4 || left["work/mine"] != "x" || left["index.html"] == "" {
		t.Errorf("left: %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "work/a b.git")); err == nil {
		t.Errorf("an empty directory stays")
	}
}

// After a kill, the next export knows all files.
func TestExportInterrupted(t *testing.T) {
	f := newFixture(t, shownConfig)
	f.run("work/a.git", "refs/heads/main", active, complete)
	dir := t.TempDir()
	x, err := openFiles(dir, "quire-web")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.write("work/a.git/gone.html", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := openFiles(dir, "quire-web"); err == nil {
		t.Errorf("two exports at once")
	}
	x.list.Close() // before finish
	if err := f.Export(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	files := tree(t, dir)
	if files["work/a.git/gone.html"] != "" || files["work/a.git/index.html"] == "" {
		t.Errorf("exported: %v", files)
	}
}

func TestExportRefuses(t *testing.T) {
	f := newFixture(t, shownConfig)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"full": full, "file": filepath.Join(full, "x"), "no parent": filepath.Join(full, "a/b")} {
		if err := f.Export(t.Context(), dir); err == nil {
			t.Errorf("%s: exported", name)
		}
	}
	if files := tree(t, full); len(files) != 1 {
		t.Errorf("written: %v", files)
	}
	// If one page cannot be written, the others are written nevertheless.
	failures := 0
	h := &Handler{Root: f.Root, Log: func(error) { failures++ }}
	f.run("work/index.html", "refs/heads/main", active, complete)
	f.write("config.toml", "[repo.\"**\"]\nweb = true\n")
	f.run("index.html", "refs/heads/main", active, complete)
	dir := filepath.Join(full, "site")
	if err := h.Export(t.Context(), dir); err == nil || failures == 0 {
		t.Errorf("no failure for a page that is a directory: %v", err)
	}
	if files := tree(t, dir); files["work/index.html/index.html"] == "" {
		t.Errorf("exported: %v", files)
	}
}
