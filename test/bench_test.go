package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkPush times whole `git push` commands over a local path, in pairs, to a
// repository with the hook and to one without. It reports the median of each and
// the ratio of the medians.
func BenchmarkPush(b *testing.B) {
	const pipeline = "(local ci (require :quire.ci))\n(ci.job :a [:quire/push] (fn [{: sh}] (sh \"true\")))\n"
	for _, bench := range []struct {
		name, pipeline string
		refs           int
	}{
		{"no-pipeline", "", 1},
		{"pipeline", pipeline, 1},
		{"2000-refs", pipeline, 2000},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p := newPushes(b, bench.pipeline)
			var with, without []time.Duration
			for b.Loop() {
				with = append(with, p.push(b, "with.git", bench.refs))
				without = append(without, p.push(b, "without.git", bench.refs))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(milliseconds(median(with)), "ms-with")
			b.ReportMetric(milliseconds(median(without)), "ms-without")
			b.ReportMetric(float64(median(with))/float64(median(without)), "ratio")
		})
	}
}

// BenchmarkFirstCommand tells how long after a push has returned the first command
// of its first job begins: executor quire-ci, 100 files, the second and later pushes
// of a branch.
func BenchmarkFirstCommand(b *testing.B) {
	p := newPushes(b, "")
	began := filepath.Join(p.dir, "began")
	files := map[string]string{
		"root/config.toml": "executor = \"quire-ci\"\n",
		"work/.quire/ci.fnl": "(local ci (require :quire.ci))\n" +
			"(ci.job :a [:quire/push] (fn [{: sh}] (sh \"date +%s%N >" + began + "\")))\n",
	}
	for i := range 100 {
		files[fmt.Sprintf("work/file%d", i)] = "contents\n"
	}
	for name, text := range files {
		path := filepath.Join(p.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			b.Fatal(err)
		}
	}
	p.run(b, "git", "-C", "work", "add", "-A")
	var took []time.Duration
	for b.Loop() {
		p.run(b, "git", "-C", "work", "commit", "-q", "--allow-empty", "-m", "next")
		p.run(b, "git", "-C", "work", "push", "-q", "../with.git", "HEAD:refs/heads/main")
		returned := time.Now()
		p.run(b, "sh", "-c", "quire-runstate wait with.git@refs/heads/main")
		text, err := os.ReadFile(began)
		if err != nil {
			b.Fatal(err)
		}
		at, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Unix(0, at).Sub(returned))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(milliseconds(median(took)), "ms-to-first-command")
	b.ReportMetric(milliseconds(took[0]), "ms-least")
}

// pushes are a working copy and two bare repositories to push to.
type pushes struct {
	dir string
	env []string
	n   int
}

func newPushes(b *testing.B, pipeline string) *pushes {
	b.Helper()
	p := &pushes{dir: b.TempDir()}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") && !strings.HasPrefix(entry, "QUIRE_") {
			p.env = append(p.env, entry)
		}
	}
	p.env = append(p.env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME="+p.dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"QUIRE_ROOT="+filepath.Join(p.dir, "root"), "PATH="+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"))
	p.run(b, "git", "init", "-q", "work")
	for _, name := range []string{"with.git", "without.git"} {
		p.run(b, "git", "init", "-q", "--bare", name)
		p.run(b, "git", "-C", name, "config", "receive.advertisePushOptions", "true")
	}
	p.run(b, "ln", "-s", filepath.Join(prefix, "share/quire/hooks/post-receive"), "with.git/hooks")
	if pipeline != "" {
		file := filepath.Join(p.dir, "work/.quire/ci.fnl")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(pipeline), 0o644); err != nil {
			b.Fatal(err)
		}
		p.run(b, "git", "-C", "work", "add", "-A")
	}
	p.run(b, "git", "-C", "work", "commit", "-q", "--allow-empty", "-m", "first")
	return p
}

// push pushes a new commit to refs new refs of repo and returns how long it took
// until the push returned. The runs it makes are skipped when there are many:
// they are not what is measured, and would run beside the next push.
func (p *pushes) push(b *testing.B, repo string, refs int) time.Duration {
	b.Helper()
	p.n++
	p.run(b, "git", "-C", "work", "commit", "-q", "--allow-empty", "-m", "next")
	args := []string{"-C", "work", "push", "-q"}
	if refs > 1 {
		args = append(args, "-o", "ci.skip")
	}
	args = append(args, "../"+repo)
	for i := range refs {
		args = append(args, fmt.Sprintf("HEAD:refs/heads/b%d-%d", p.n, i))
	}
	start := time.Now()
	p.run(b, "git", args...)
	took := time.Since(start)
	p.run(b, "sh", "-c", "ids=$(quire-runstate list --state pending,active | cut -f1); [ -z \"$ids\" ] || quire-runstate wait $ids")
	return took
}

func (p *pushes) run(b *testing.B, name string, args ...string) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %.200s: %v\n%.2000s", name, strings.Join(args, " "), err, out)
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
