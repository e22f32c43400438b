package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const benchPipeline = "(local ci (require :quire.ci))\n(ci.job :a [:quire/push] (fn [{: sh}] (sh \"%s\")))\n"

// A site is a root, a working copy, and two bare repositories to push to, one with the
// hook and one without.
type site struct {
	*bench
	name string
	env  []string
	n    int // commits so far

	before func() // called before a commit is pushed; may be nil
}

// newSite creates a site. The files are in its first commit, or in its root.
func (w *bench) newSite(name string, files map[string]string) *site {
	p := &site{bench: w, name: name, env: []string{"QUIRE_ROOT=" + filepath.Join(w.dir, name, "root")}}
	w.sh("mkdir -p %[1]s/root && git init -q %[1]s/work && git init -q --bare %[1]s/with.git && git init -q --bare %[1]s/without.git", name)
	w.sh("for r in with without; do git -C %s/$r.git config receive.advertisePushOptions true; done", name)
	w.sh("ln -s %s/share/quire/hooks/post-receive %s/with.git/hooks", prefix, name)
	for file, text := range files {
		path := filepath.Join(w.dir, name, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			w.Fatal(err)
		}
	}
	w.sh("git -C %s/work add -A", name)
	return p
}

// commit creates a commit, and returns the refspecs of that many new refs at it.
func (p *site) commit(refs int) []string {
	p.n++
	p.sh("git -C %s/work commit -q --allow-empty -m next", p.name)
	specs := make([]string, refs)
	for i := range specs {
		specs[i] = fmt.Sprintf("HEAD:refs/heads/b%d-%d", p.n, i)
	}
	return specs
}

func (p *site) push(repo string, args ...string) {
	p.run(p.env, "git", append([]string{"-C", p.name + "/work", "push", "-q"}, args...)...)
}

// compare pushes that many new refs to each repository in turn. It returns the median
// times of a push to the one with the hook and to the other.
func (p *site) compare(pairs, refs int, options ...string) (with, without float64) {
	var specs []string
	push := func(repo string) func(int) {
		return func(int) { p.push(repo, append(append(options, "../"+repo), specs...)...) }
	}
	var times [2][]float64
	for range pairs {
		specs = p.commit(refs)
		if p.before != nil {
			p.before()
		}
		for i := range times {
			which := (p.n + i) % 2
			m := medians(1, push([]string{"with.git", "without.git"}[which]))
			times[which] = append(times[which], m[0])
			if which == 0 {
				p.settle()
			}
		}
	}
	return median(times[0]), median(times[1])
}

// settle waits for the runs to end, unless nothing drives them.
func (p *site) settle() {
	if _, err := os.Stat(filepath.Join(p.dir, p.name, "stub")); err == nil {
		return
	}
	p.run(p.env, "sh", "-c", "ids=$(quire-runstate list --state pending,active | cut -f1); [ -z \"$ids\" ] || quire-runstate wait $ids")
}

// gates measures pushes to gated refs: with a commit that is tested already, and with one job.
func (w *bench) gates() []row {
	const theirs = "push without hooks"
	var rows []row
	for _, m := range []struct{ measure, limit, skip string }{
		{"gated push, tested commit", "/2", "commit"}, {"gated push, one job", "/5", "none"},
	} {
		p := w.newSite("gated-"+m.skip, map[string]string{
			"work/.quire/ci.fnl": fmt.Sprintf(benchPipeline, "true"),
			"root/config.toml":   fmt.Sprintf("gate = [\"refs/heads/b*\"]\nskip-tested = %q\n", m.skip),
		})
		w.sh("ln -s %s/share/quire/hooks/pre-receive %s/with.git/hooks", prefix, p.name)
		if m.skip != "none" {
			p.before = func() {
				for _, repo := range []string{"../with.git", "../without.git"} {
					p.push("", "-o", "ci.wait", repo, fmt.Sprint("HEAD:refs/heads/tested", p.n))
				}
			}
		}
		with, without := p.compare(15, 1)
		rows = append(rows, row{m.measure, theirs, with, without, m.limit})
	}
	return rows
}

func (w *bench) pushes() []row {
	const theirs = "push without the hook"
	pipeline := fmt.Sprintf(benchPipeline, "true")
	var rows []row
	compare := func(measure, limit, name string, files map[string]string) {
		with, without := w.newSite(name, files).compare(30, 1)
		rows = append(rows, row{measure, theirs, with, without, limit})
	}
	compare("push, no pipeline", "/1.25", "none", nil)
	compare("push, pipeline", "/1.6", "one", map[string]string{"work/.quire/ci.fnl": pipeline})
	// Each pair in its own site, see cold.
	many := func(measure, name string, files map[string]string, options ...string) {
		var with, without []float64
		for i := range 5 {
			p := w.newSite(fmt.Sprint(name, i), files)
			p.n = i
			p.env = append(p.env, "PATH="+filepath.Join(w.dir, p.name, "stub")+":"+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"))
			a, b := p.compare(1, 2000, options...)
			with, without = append(with, a), append(without, b)
		}
		rows = append(rows, row{measure, theirs, median(with), median(without), "/2"})
	}
	many("push, 2000 refs, ci.skip", "skipped", map[string]string{"work/.quire/ci.fnl": pipeline}, "-o", "ci.skip")
	// With a dispatcher that drives nothing: 2,000 runs would continue for minutes,
	// beside the next measures.
	many("push, 2000 refs, 2000 runs", "many", map[string]string{
		"work/.quire/ci.fnl": pipeline, "stub/quire-dispatch": "#!/bin/sh\ncat >/dev/null\n"})
	return append(rows, w.processes())
}

// processes counts the git processes that the hook starts, with a script in front of git.
func (w *bench) processes() row {
	p := w.newSite("count", map[string]string{
		"work/.quire/ci.fnl":  fmt.Sprintf(benchPipeline, "true"),
		"stub/quire-dispatch": "#!/bin/sh\ncat >/dev/null\n",
		"stub/git":            "#!/bin/sh\necho >>\"$QUIRE_ROOT/../count\"\nPATH=${PATH#*:} exec git \"$@\"\n",
	})
	p.sh("rm %[1]s/with.git/hooks/post-receive; printf '#!/bin/sh\\nPATH=%[2]s/%[1]s/stub:$PATH exec %[3]s/share/quire/hooks/post-receive\\n' >%[1]s/with.git/hooks/post-receive; chmod +x %[1]s/with.git/hooks/post-receive",
		p.name, p.dir, prefix)
	count := func(refs int) float64 {
		specs := p.commit(refs)
		p.sh(": >%s/count", p.name)
		p.push("with.git", append([]string{"../with.git"}, specs...)...)
		n, err := strconv.ParseFloat(strings.TrimSpace(p.sh("wc -l <%s/count", p.name)), 64)
		if err != nil {
			p.Fatal(err)
		}
		return n
	}
	count(1) // the first push records the existing refs
	one, many := count(1), count(2000)
	return row{"git processes, 2000 refs, more than (count)", "1 ref", many - one, 0, "<1"}
}

// firstCommand measures from the return of a push to the start of the first command of
// the first job: executor quire-ci, 100 files.
func (w *bench) firstCommand() []row {
	began := filepath.Join(w.dir, "first/began")
	files := map[string]string{
		"root/config.toml":   "executor = \"quire-ci\"\n",
		"work/.quire/ci.fnl": fmt.Sprintf(benchPipeline, "date +%s%N >"+began),
	}
	for i := range 100 {
		files[fmt.Sprintf("work/file%d", i)] = "contents\n"
	}
	p := w.newSite("first", files)
	var took []float64
	for range 30 {
		p.commit(0)
		p.push("with.git", "../with.git", "HEAD:refs/heads/main")
		returned := time.Now()
		p.settle()
		text, err := os.ReadFile(began)
		if err != nil {
			w.Fatal(err)
		}
		at, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			w.Fatal(err)
		}
		took = append(took, milliseconds(time.Unix(0, at).Sub(returned)))
	}
	return []row{{"first command, quire-ci, 100 files", "the push's return", median(took), 0, "<30"}}
}
