package executor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/pipeline"
	"quire/lib/push"
	"quire/lib/runlog"
)

// states returns "id state reason" of each job.
func states(r result) []string {
	var out []string
	for _, j := range r.Jobs {
		out = append(out, strings.TrimSpace(j.ID+" "+j.State+" "+j.Reason))
	}
	return out
}

func TestDependents(t *testing.T) {
	p := load(t, `
		job("bad", {"quire/push"}, function(q) q.sh("false") end)
		job("good", {"quire/push"}, function(q) q.sh("true") end)
		job("empty", {"good"}, function(q) return nil end)
		job("after-bad", {"good", "bad"}, function(q) q.sh("true") end)
		job("after-that", {"after-bad"}, function(q) q.sh("true") end)
		job("after-empty", {"empty"}, function(q) q.sh("true") end)
		job("clean", {"after-that"}, function(q) q.sh("true") end)
		job("shaky", {"quire/push"}, function(q) q.sh("false") end)
		job("after-shaky", {"shaky"}, function(q) q.sh("true") end)`)
	p.Jobs[6].Options.Always = true
	p.Jobs[7].Options.AllowFailure = true
	r := start(t, t.Context(), p, Options{})
	want := []string{
		"bad failed exit", "good complete", "empty skipped empty", "after-bad skipped input",
		"after-that skipped input", "after-empty complete", "clean complete", "shaky failed exit", "after-shaky complete",
	}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if got := r.job("after-bad").Error; got != "input 'bad' failed" {
		t.Errorf("after-bad says %q", got)
	}
	if r.State != "failed" || r.Code != 1 {
		t.Errorf("the run is %+v", r.Outcome)
	}
}

func TestAllowedFailureIsNoFailure(t *testing.T) {
	p := one(t, `sh("false")`)
	p.Jobs[0].Options.AllowFailure = true
	if r := start(t, t.Context(), p, Options{}); r.State != "complete" || !r.Jobs[0].Allowed {
		t.Errorf("the run is %+v", r.Outcome)
	}
}

func TestOutputsFlow(t *testing.T) {
	p := load(t, `
		job("a", {"quire/push"}, function() return {list = {1, "two", {x = true}}, [5] = "five", sub = {}} end)
		job("b", {"a"}, function(q)
			local a, again = q.jobs("a"), q.jobs("a")
			a.list[1] = "changed"
			assert(again.list[1] == 1 and again ~= a, "a copy is shared")
			return a
		end)
		job("c", {"b"}, function(q) return {q.jobs("a").list[1], q.jobs("b").list[1], q.jobs("a")[5], q.jobs("quire/push").branch} end)`)
	r := start(t, t.Context(), p, Options{Facts: push.Facts{Ref: "refs/heads/main"}})
	for id, want := range map[string]string{
		"a": `{"5":"five","list":[1,"two",{"x":true}],"sub":[]}`,
		"b": `{"5":"five","list":["changed","two",{"x":true}],"sub":[]}`,
		"c": `[1,"changed","five","main"]`,
	} {
		if got := r.recorded(id); got != want {
			t.Errorf("%s: output is %s, want %s: %s", id, got, want, r.job(id).Error)
		}
	}
}

func TestPush(t *testing.T) {
	r := run1(t, `return jobs("quire/push")`, Options{Facts: push.Facts{
		GitDir: "/srv/a.git", Ref: "refs/tags/v1", SHA: "abc", PreviousSHA: "0000", CommitMessage: "subject\n\nbody\n",
		Pusher: "ann", PushedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), FilesChanged: []string{"a", "b"},
		Trigger: "push",
	}})
	want := `{"commit-message":"subject\n\nbody\n","files-changed":["a","b"],"git-dir":"/srv/a.git",` +
		`"pushed-at":"2026-01-02T03:04:05Z","pusher":"ann","ref":"refs/tags/v1","sha":"abc","tag":"v1","trigger":"push"}`
	if got := r.recorded("main"); got != want {
		t.Errorf("push is %s, want %s", got, want)
	}
}

// Each of two jobs waits for a file of the other, so they end only if both run at once.
func TestSideBySide(t *testing.T) {
	const meet = `sh("touch %s; until [ -e %s ]; do sleep 0.01; done", {timeout = 120})`
	p := load(t, fmt.Sprintf(`
		job("a", {"quire/push"}, function(q) local sh = q.sh; `+meet+` end)
		job("b", {"quire/push"}, function(q) local sh = q.sh; `+meet+` end)`, "a", "b", "b", "a"))
	if r := start(t, t.Context(), p, Options{Parallel: 2}); r.State != "complete" {
		t.Errorf("the run is %+v", r.Outcome)
	}
}

func TestOneJobAtATimeIsInOrder(t *testing.T) {
	p := load(t, `
		for i = 1, 5 do
			job("j" .. i, {"quire/push"}, function(q) q.sh("echo " .. i .. " >> order; sleep 0.01; echo " .. i .. " >> order") end)
		end`)
	ws := t.TempDir()
	start(t, t.Context(), p, Options{Parallel: 1, Workspace: ws})
	got, _ := os.ReadFile(filepath.Join(ws, "order"))
	if want := "1\n1\n2\n2\n3\n3\n4\n4\n5\n5\n"; string(got) != want {
		t.Errorf("the order is %q", got)
	}
}

func TestFailFast(t *testing.T) {
	p := load(t, `
		job("slow", {"quire/push"}, function(q) q.sh("touch slow; exec sleep 60") end)
		job("bad", {"quire/push"}, function(q) q.sh("until [ -e slow ]; do sleep 0.01; done; exit 1") end)
		job("later", {"slow"}, function(q) q.sh("true") end)`)
	r := start(t, t.Context(), p, Options{Parallel: 2, FailFast: true})
	want := []string{"slow failed fail-fast", "bad failed exit", "later skipped fail-fast"}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if r.Reason != "exit" || r.Code != 1 {
		t.Errorf("the run is %+v", r.Outcome)
	}
}

func TestRetry(t *testing.T) {
	p := one(t, `sh("echo x >> tries; [ $(wc -l < tries) = 3 ]")`)
	p.Jobs[0].Options.Retry = 3
	r := start(t, t.Context(), p, Options{})
	if r.State != "complete" || r.Jobs[0].Attempts != 3 {
		t.Errorf("the run is %+v", r.Outcome)
	}
	var kinds []string
	for _, ev := range r.events {
		kinds = append(kinds, ev.Event)
	}
	want := strings.Fields("run-start job-start sh-start sh-end job-retry sh-start sh-end job-retry sh-start sh-end job-end run-end")
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestTimeouts(t *testing.T) {
	tests := map[string]struct {
		body    string
		run     time.Duration
		job     time.Duration
		outcome string
		text    string
	}{
		"run":       {`sh("sleep 60")`, 50 * time.Millisecond, 0, "timeout", "the run ran longer than 50ms"},
		"job":       {`sh("sleep 60")`, 0, 50 * time.Millisecond, "exit", "the job ran longer than 50ms"},
		"job, Lua":  {`while true do end`, 0, 50 * time.Millisecond, "exit", "the job ran longer than 50ms"},
		"two steps": {`sh("sleep 60"); sh("touch late")`, 0, 50 * time.Millisecond, "exit", "the job ran longer than 50ms"},
		"caught":    {`pcall(sh, "sleep 60"); return 1`, 0, 50 * time.Millisecond, "exit", "the job ran longer than 50ms"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := one(t, tt.body)
			p.Jobs[0].Options.Timeout = tt.job
			r := start(t, t.Context(), p, Options{Timeout: tt.run})
			if r.Reason != tt.outcome {
				t.Errorf("the run ended for %q, want %q", r.Reason, tt.outcome)
			}
			if j := r.job("main"); j.Reason != "timeout" || j.Error != tt.text {
				t.Errorf("the job is %+v", j)
			}
		})
	}
}

// alive reports whether the process whose id is in a file exists.
func alive(t *testing.T, ws, name string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(ws, name))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	return syscall.Kill(pid, 0) == nil
}

func TestCancel(t *testing.T) {
	p := load(t, `
		job("main", {"quire/push"}, function(q) q.sh("setsid sleep 60 & echo $! > pid; echo ready; exec sleep 60") end)
		job("next", {"main"}, function(q) q.sh("true") end)
		job("clean", {"next"}, function(q) q.sh("touch cleaned") end)`)
	p.Jobs[2].Options.Always = true
	ctx, cancel := context.WithCancelCause(t.Context())
	ws := t.TempDir()
	r := start(t, ctx, p, Options{Workspace: ws, Output: writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("| ready")) {
			cancel(errors.New("had enough"))
		}
	})})
	want := []string{"main failed cancelled", "next skipped cancelled", "clean complete"}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if r.Reason != "cancelled" {
		t.Errorf("the run is %+v", r.Outcome)
	}
	if alive(t, ws, "pid") {
		t.Error("a process is left")
	}
	if _, err := os.Stat(filepath.Join(ws, "cleaned")); err != nil {
		t.Error(err)
	}
}

// A job that quire ended has failed, even if its command exits with 0 or the pipeline
// ignores the status.
func TestEndedJobHasFailed(t *testing.T) {
	for name, body := range map[string]string{
		"exit 0":  `q.sh("trap 'exit 0' TERM; echo ready; sleep 60 & wait")`,
		"checked": `local r = q.sh("echo ready; exec sleep 60", {check = false}); return r.exit`,
	} {
		for _, reason := range []string{"cancelled", "timeout"} {
			t.Run(name+", "+reason, func(t *testing.T) {
				p := load(t, `job("main", {"quire/push"}, function(q) `+body+` end)`)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				o := Options{Workspace: t.TempDir()}
				if reason == "timeout" {
					p.Jobs[0].Options.Timeout = 300 * time.Millisecond
				} else {
					o.Output = writerFunc(func(b []byte) {
						if bytes.Contains(b, []byte("| ready")) {
							cancel(errors.New("had enough"))
						}
					})
				}
				r := start(t, ctx, p, o)
				if want := []string{"main failed " + reason}; !slices.Equal(states(r), want) || r.State != "failed" {
					t.Errorf("the jobs are %v, want %v; the run is %+v", states(r), want, r.Outcome)
				}
			})
		}
	}
}

// A process that ends a run from outside may signal its commands before quire.
func TestCommandIsSignalledFirst(t *testing.T) {
	defer func(before time.Duration) { signalWindow = before }(signalWindow)
	signalWindow = 2 * time.Second // on a busy machine, the cancellation may come that late
	for how, reason := range map[string]string{"kill -TERM $$": "signal", "exit 130": "exit"} {
		for _, told := range []bool{true, false} {
			p := load(t, `job("main", {"quire/push"}, function(q) q.sh("echo ready; `+how+`") end)`)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r := start(t, ctx, p, Options{Workspace: t.TempDir(), Output: writerFunc(func(b []byte) {
				if told && bytes.Contains(b, []byte("| ready")) {
					time.AfterFunc(signalWindow/5, func() { cancel(errors.New("had enough")) })
				}
			})})
			want := "main failed " + reason
			if told {
				want = "main failed cancelled"
			}
			if !slices.Equal(states(r), []string{want}) {
				t.Errorf("%s, told %v: the jobs are %v, want %s", how, told, states(r), want)
			}
		}
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// A server that a job leaves in the background runs until the job ends, and its output is in
// the log.
func TestBackground(t *testing.T) {
	p := load(t, `
		job("main", {"quire/push"}, function(q)
			q.sh("echo first; (sh -c 'echo $PPID' > pid; until [ -e go ]; do sleep 0.01; done; echo later; touch done; sleep 60) &")
			q.sh("touch go; until [ -e done ]; do sleep 0.01; done", {timeout = 120})
		end)
		job("next", {"main"}, function(q) q.sh("grep '^State:.[^Z]' /proc/$(cat pid)/status") end)`)
	ws := t.TempDir()
	r := start(t, t.Context(), p, Options{Workspace: ws})
	if want := []string{"main complete", "next failed exit"}; !slices.Equal(states(r), want) {
		t.Errorf("the jobs are %v, want %v", states(r), want)
	}
	if log, _ := os.ReadFile(filepath.Join(r.dir, "jobs/main/sh-1.log")); !bytes.Contains(log, []byte(" F later\n")) {
		t.Errorf("what it printed later is not in the log: %s", log)
	}
}

func TestNothingIsWrittenUnredacted(t *testing.T) {
	const value = "s3cr3t-v4lue\nsecond-line"
	p := one(t, `
		local s = secret("token")
		log(s)
		sh("printf '%s' \"$T\"; printf '%s' \"$T\" | base64 >&2; exit 0 # " .. s, {env = {T = s}})
		sh({"echo", s})
		q["write-file"]("seen", sh({"printf", "%s", s}).stdout)
		jobs(s)`)
	ws := t.TempDir()
	r := start(t, t.Context(), p, Options{Workspace: ws, Secrets: map[string]string{"token": value}})
	all := r.written(t) + r.output + fmt.Sprint(r.Jobs)
	for _, form := range []string{"s3cr3t-v4lue", "second-line", base64.StdEncoding.EncodeToString([]byte(value))[:16]} {
		if i := strings.Index(all, form); i >= 0 {
			t.Errorf("%q is in %q", form, all[max(0, i-100):min(len(all), i+100)])
		}
	}
	if seen, _ := os.ReadFile(filepath.Join(ws, "seen")); string(seen) != value {
		t.Errorf("the job itself got %q", seen)
	}
	if !strings.Contains(r.Jobs[0].Error, "'{{ token }}' is no input") {
		t.Errorf("the error is %q", r.Jobs[0].Error)
	}
}

// A message cuts a command only after it is redacted: half of a secret would not be
// recognized.
func TestCutCommandsShowNoSecret(t *testing.T) {
	for n := 85; n < maxShown; n++ {
		r := run1(t, fmt.Sprintf(`sh({"false", ("x"):rep(%d), secret("token")})`, n), Options{Secrets: map[string]string{"token": "s3cr3t-v4lue"}})
		if all := r.Jobs[0].Error + r.output; strings.Contains(all, "s3") {
			t.Fatalf("with %d bytes before it: %s", n, all)
		}
	}
}

// A job with allow-skipped runs if some of its inputs were skipped and none failed. An input
// that was skipped because of a failure counts as failed.
func TestAllowSkipped(t *testing.T) {
	p := load(t, `
		local function ok(q) q.sh("true") end
		job("fine", {"quire/push"}, ok)
		job("skipped", {"quire/push"}, ok, "never")
		job("after skipped", {"skipped"}, ok)
		job("failed", {"quire/push"}, function(q) q.sh("exit 3") end)
		job("after failed", {"skipped", "failed"}, ok)
		job("tolerated", {"quire/push"}, function(q) q.sh("exit 3") end, "allow-failure")
		job("strict", {"fine", "skipped"}, ok)
		job("some", {"skipped", "fine"}, ok, "allow-skipped")
		job("push", {"skipped", "quire/push"}, ok, "allow-skipped")
		job("deep", {"after skipped", "fine"}, ok, "allow-skipped")
		job("all", {"skipped", "after skipped"}, ok, "allow-skipped")
		job("bad", {"skipped", "fine", "failed"}, ok, "allow-skipped")
		job("deep bad", {"fine", "after failed"}, ok, "allow-skipped")
		job("with tolerated", {"skipped", "tolerated"}, ok, "allow-skipped")`)
	r := start(t, t.Context(), p, Options{})
	want := []string{
		"fine complete", "skipped skipped when", "after skipped skipped input", "failed failed exit", "after failed skipped input",
		"tolerated failed exit", "strict skipped input", "some complete", "push complete", "deep complete", "all skipped input",
		"bad skipped input", "deep bad skipped input", "with tolerated complete",
	}
	slices.Sort(want)
	if got := states(r); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("got %q", got)
	}
	var plan strings.Builder
	if err := Plan(&plan, p, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"some\trun\t", "all\tskip\tskipped after skipped\tinput 'skipped' was skipped\n", "strict\tskip\t"} {
		if !strings.Contains(plan.String(), line) {
			t.Errorf("no %q in the plan:\n%s", line, &plan)
		}
	}
}

// Again runs one job, the jobs that need it, and the jobs that it needs and Done lacks.
// Other jobs that Done lacks fail, unless their failure is allowed.
func TestRerunOfOneJob(t *testing.T) {
	p := load(t, `
		local function ok(q) q.sh("true") return "new" end
		job("a", {"quire/push"}, ok)
		job("needed", {"quire/push"}, ok)
		job("again", {"a", "needed"}, ok)
		job("next", {"again"}, ok)
		job("other", {"quire/push"}, ok)
		job("after other", {"other", "again"}, ok)
		job("red", {"quire/push"}, ok)
		job("after red", {"red"}, ok)
		job("tolerated", {"quire/push"}, ok, "allow-failure")
		job("never", {"quire/push"}, ok, "never")
		job("always", {"quire/push"}, ok, "always")`)
	done := map[string]json.RawMessage{}
	for _, id := range []string{"a", "again", "next", "other", "after other"} {
		done[id] = []byte(`"old"`)
	}
	r := start(t, t.Context(), p, Options{Done: done, Again: "again"})
	want := []string{
		"a complete earlier", "needed complete", "again complete", "next complete", "other complete earlier", "after other complete",
		"red failed earlier", "after red skipped input", "tolerated failed earlier", "never skipped when", "always complete",
	}
	slices.Sort(want)
	if got := states(r); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("got %q", got)
	}
	if r.State != "failed" {
		t.Errorf("the run is %s", r.State)
	}
	done["red"], done["after red"] = []byte("1"), []byte("1")
	if r := start(t, t.Context(), p, Options{Done: done, Again: "again"}); r.State != "complete" {
		t.Errorf("without a failure, the run is %s", r.State)
	}
	if _, err := Run(t.Context(), p, Options{Workspace: t.TempDir(), Out: t.TempDir(), Again: "gone"}); !errors.As(err, new(*UnknownJobError)) {
		t.Errorf("a job that does not exist: %v", err)
	}
}

func TestEarlierOutputs(t *testing.T) {
	p := load(t, `
		job("a", {"quire/push"}, function(q) q.sh("touch ran") return 1 end)
		job("b", {"a"}, function(q) return q.jobs("a").x end)
		job("c", {"a"}, function(q) q.sh("true") end)`)
	p.Jobs[2].Options.Always = true
	ws := t.TempDir()
	r := start(t, t.Context(), p, Options{
		Workspace: ws, Done: map[string]json.RawMessage{"a": []byte(`{"x":["y"]}`), "c": nil},
	})
	if want := []string{"a complete earlier", "b complete", "c complete"}; !slices.Equal(states(r), want) || r.recorded("b") != `["y"]` {
		t.Errorf("the jobs are %v and the output %s", states(r), r.recorded("b"))
	}
	if _, err := os.Stat(filepath.Join(ws, "ran")); err == nil {
		t.Error("a job that was done ran again")
	}
}

func TestPrimitivesEndWithTheirJob(t *testing.T) {
	p := load(t, `
		local kept
		job("a", {"quire/push"}, function(q) kept = q.sh end)
		job("b", {"a"}, function(q) kept("touch late") end)`)
	ws := t.TempDir()
	r := start(t, t.Context(), p, Options{Workspace: ws})
	if got := r.job("b").Error; got != "ci.lua:4: job 'a' has ended" {
		t.Errorf("the error is %q", got)
	}
	if _, err := os.Stat(filepath.Join(ws, "late")); err == nil {
		t.Error("the primitive of an ended job still works")
	}
}

func TestCaptureIsBounded(t *testing.T) {
	r := run1(t, `
		local r = sh("head -c 20000000 /dev/zero; echo end >&2")
		return {#r.stdout, r.truncated, r.stderr}`, Options{})
	if got, want := r.recorded("main"), fmt.Sprintf(`[%d,true,"end\n"]`, maxCapture); got != want {
		t.Errorf("output is %s, want %s", got, want)
	}
	info, err := os.Stat(filepath.Join(r.dir, "jobs/main/sh-1.log"))
	if err != nil || info.Size() < 20000000 {
		t.Errorf("the log is not whole: %v, %v", info, err)
	}
	for _, ev := range r.events {
		if ev.Event == runlog.ShEnd && !ev.Truncated {
			t.Error("the event does not say that the output was cut")
		}
	}
}

func TestWhen(t *testing.T) {
	files := []string{"src/a/b.go", "README"}
	tests := []struct {
		when pipeline.When
		f    push.Facts
		want bool
	}{
		{pipeline.When{}, push.Facts{Ref: "refs/heads/main"}, true},
		{pipeline.When{Branch: []string{"main"}}, push.Facts{Ref: "refs/heads/main"}, true},
		{pipeline.When{Branch: []string{"main"}}, push.Facts{Ref: "refs/heads/mainly"}, false},
		{pipeline.When{Branch: []string{"x", "release/*"}}, push.Facts{Ref: "refs/heads/release/1"}, true},
		{pipeline.When{Branch: []string{"*"}}, push.Facts{Ref: "refs/heads/release/1"}, false},
		{pipeline.When{Branch: []string{"**"}}, push.Facts{Ref: "refs/heads/release/1"}, true},
		{pipeline.When{Branch: []string{"**"}}, push.Facts{Ref: "refs/tags/v1"}, false},
		{pipeline.When{Tag: []string{"v*"}}, push.Facts{Ref: "refs/tags/v1.2"}, true},
		{pipeline.When{Tag: []string{"v?"}}, push.Facts{Ref: "refs/tags/v1.2"}, false},
		{pipeline.When{Branch: []string{"main"}, Tag: []string{"v*"}}, push.Facts{Ref: "refs/tags/v1"}, true},
		{pipeline.When{Paths: []string{"src/**"}}, push.Facts{FilesChanged: files}, true},
		{pipeline.When{Paths: []string{"src/*"}}, push.Facts{FilesChanged: files}, false},
		{pipeline.When{Paths: []string{"src/**/*.go"}}, push.Facts{FilesChanged: files}, true},
		{pipeline.When{Paths: []string{"**/*.go"}}, push.Facts{FilesChanged: []string{"a.go"}}, true},
		{pipeline.When{Paths: []string{"*.c"}}, push.Facts{FilesChanged: files}, false},
		{pipeline.When{Paths: []string{"*.c"}}, push.Facts{}, true},
		{pipeline.When{Paths: []string{"**"}}, push.Facts{FilesChanged: []string{}}, false},
		{pipeline.When{Branch: []string{"main"}}, push.Facts{Ref: "refs/heads/main", FilesChanged: []string{}}, true},
		{pipeline.When{Branch: []string{"x"}, Paths: []string{"README"}}, push.Facts{Ref: "refs/heads/main", FilesChanged: files}, false},
		{pipeline.When{Trigger: []string{"schedule"}}, push.Facts{Trigger: "schedule"}, true},
		{pipeline.When{Trigger: []string{"hand", "night*"}}, push.Facts{Trigger: "nightly"}, true},
		{pipeline.When{Trigger: []string{"schedule"}}, push.Facts{Trigger: "push"}, false},
		{pipeline.When{Trigger: []string{"schedule"}, Branch: []string{"main"}}, push.Facts{Trigger: "push", Ref: "refs/heads/main"}, false},
		{pipeline.When{Trigger: []string{"push"}, Branch: []string{"main"}}, push.Facts{Trigger: "push", Ref: "refs/heads/x"}, false},
		{pipeline.When{Trigger: []string{"schedule"}, Paths: []string{"*.c"}}, push.Facts{Trigger: "push"}, false},
		{pipeline.When{Paths: []string{"\xff*"}}, push.Facts{FilesChanged: []string{"\xffa"}}, true},
	}
	for _, tt := range tests {
		if got := matches(tt.when, tt.f); got != tt.want {
			t.Errorf("matches(%v, %v) = %v, want %v", tt.when, tt.f, got, tt.want)
		}
	}
}

func TestPlanAndOnly(t *testing.T) {
	p := load(t, `
		job("a", {"quire/push"}, print)
		job("b", {"a"}, print)
		job("c", {"b"}, print)
		job("d", {"quire/push"}, print)`)
	p.Jobs[1].Options.When.Branch = []string{"main"}
	var b strings.Builder
	if err := Plan(&b, p, Options{Only: []string{"c"}, Facts: push.Facts{Ref: "refs/heads/x"}}); err != nil {
		t.Fatal(err)
	}
	want := "a\trun\tquire/push\t-\nb\tskip\ta\tthe push does not match its :when\nc\tskip\tb\tinput 'b' was skipped\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	var unknown *UnknownJobError
	if err := Plan(&b, p, Options{Only: []string{"z"}}); !errors.As(err, &unknown) {
		t.Errorf("an unknown job gives %v", err)
	}
}

func TestReport(t *testing.T) {
	p := load(t, `
		job("a", {"quire/push"}, function(q) q.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exit 3") end)
		job("b", {"a"}, function(q) end)`)
	r := start(t, t.Context(), p, Options{})
	var b strings.Builder
	if err := Report(&b, r.dir, "", r.Outcome, false); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"failed: a\n  ci.lua:2: command 'for", "failed with exit 3\n    line 3\n", "    line 12\n  log: " + r.dir + "/jobs/a/sh-1.log\n",
		"\nfailed: 1 failed, 1 skipped in ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the report:\n%s", want, text)
		}
	}
}

// The report of a recorded run names a command for the full log, and no path.
func TestReportOfRecordedRun(t *testing.T) {
	for job, want := range map[string]string{
		"a":         "  log: quire-runstate log 0192 a\n",
		"two words": "  log: quire-runstate log 0192 'two words'\n",
		"it's":      "  log: quire-runstate log 0192 'it'\\''s'\n",
	} {
		r := start(t, t.Context(), load(t, fmt.Sprintf(`job(%q, {"quire/push"}, function(q) q.sh("echo x; exit 3") end)`, job)), Options{})
		var b strings.Builder
		if err := Report(&b, r.dir, "0192", r.Outcome, false); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) || strings.Contains(b.String(), r.dir) {
			t.Errorf("want %q in the report:\n%s", want, b.String())
		}
	}
}

// If the files of a run cannot be written, it fails with an error.
func TestFullDisk(t *testing.T) {
	p := one(t, `sh("echo x")`)
	ws := t.TempDir()
	out := filepath.Join(t.TempDir(), "out")
	// A file blocks the directory of logs.
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "jobs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := Run(t.Context(), p, Options{Workspace: ws, Out: out})
	if err == nil || o.State != "failed" || o.Reason != "internal" {
		t.Errorf("Run gives %+v, %v", o, err)
	}
}

func TestPrint(t *testing.T) {
	r := run1(t, `print("hello", 1) log("a\nb", 2)`, Options{})
	for _, want := range []string{"     | hello\t1\n", "main | a\nmain | b 2\n"} {
		if !strings.Contains(r.output, want) {
			t.Errorf("%q is not in %q", want, r.output)
		}
	}
}

func TestLargeOutput(t *testing.T) {
	r := run1(t, `return {text = ("é"):rep(100000) .. secret("token") .. "\n\255"}`, Options{Secrets: map[string]string{"token": "s3cr3t-v4lue"}})
	records, err := runlog.Summarize(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if records[0].OutputFile != "jobs/main/output.json" || records[0].Output != nil {
		t.Errorf("the output is in %q", records[0].OutputFile)
	}
	text, err := records[0].ReadOutput(r.dir, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Text string }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("é", 100000) + "{{ token }}\n\ufffd"; got.Text != want {
		t.Errorf("the output has %d bytes and ends with %q", len(got.Text), got.Text[len(got.Text)-20:])
	}
}

// Many jobs share one Lua state, and each still has its own values after its commands.
func TestJobsKeepTheirValues(t *testing.T) {
	p := load(t, `
		for i = 1, 24 do
			job("j" .. i, {"quire/push"}, function(q)
				local seen = {}
				for k = 1, 4 do
					local co = coroutine.wrap(function() return q.sh("echo " .. i .. "-" .. k).stdout end)
					seen[k] = co():gsub("%s", "")
				end
				return table.concat(seen, " ")
			end)
		end`)
	r := start(t, t.Context(), p, Options{Parallel: 8})
	for i := 1; i <= 24; i++ {
		id := fmt.Sprint("j", i)
		if got, want := r.recorded(id), fmt.Sprintf(`"%d-1 %d-2 %d-3 %d-4"`, i, i, i, i); got != want {
			t.Errorf("%s returned %s, want %s: %s", id, got, want, r.job(id).Error)
		}
	}
}

// If another job calls a primitive, the primitive still ends with its own job, even in the
// middle of a command.
func TestPrimitiveOfAnotherJob(t *testing.T) {
	p := load(t, `
		local lent
		job("owner", {"quire/push"}, function(q)
			lent = q.sh
			q.sh("until [ -e borrowed ]; do sleep 0.01; done", {timeout = 120})
		end)
		job("borrower", {"quire/push"}, function(q)
			while not lent do q.sh("sleep 0.01") end
			lent("touch borrowed; sleep 0.3 & sleep 0.2; touch over")
			lent("touch late")
		end)`)
	ws := t.TempDir()
	r := start(t, t.Context(), p, Options{Workspace: ws, Parallel: 2})
	if want := []string{"owner complete", "borrower failed error"}; !slices.Equal(states(r), want) {
		t.Errorf("the jobs are %v, want %v", states(r), want)
	}
	if _, err := os.Stat(filepath.Join(ws, "late")); err == nil {
		t.Error("the primitive of an ended job still works")
	}
}

// A cancelled run ends within one grace period, even if its jobs ignore signals: the process
// that cancelled it may kill quire after that time.
func TestOneGraceForAllJobs(t *testing.T) {
	t.Parallel()
	p := load(t, `
		job("stubborn", {"quire/push"}, function(q) q.sh("trap '' TERM; echo ready; while :; do sleep 0.05; done") end)
		job("clean", {"stubborn"}, function(q) q.sh("trap '' TERM; while :; do sleep 0.05; done") end)`)
	p.Jobs[1].Options.Always = true
	ctx, cancel := context.WithCancel(t.Context())
	var cancelled time.Time
	const grace = 4 * time.Second // a busy machine adds less than half of it
	r := start(t, ctx, p, Options{Grace: grace, Output: writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("| ready")) {
			cancelled = time.Now()
			cancel()
		}
	})})
	if want := []string{"stubborn failed cancelled", "clean failed cancelled"}; !slices.Equal(states(r), want) {
		t.Errorf("the jobs are %v, want %v", states(r), want)
	}
	if took := time.Since(cancelled); took > grace*3/2 {
		t.Errorf("it took %s to end", took)
	}
}

// An incomplete line is in the log while its command waits, except bytes that may begin a
// secret. The rest follows.
func TestPrompts(t *testing.T) {
	ws := t.TempDir()
	p := one(t, `return sh([[printf 'go on? tok'; until grep -q 'P go on? $' ../*/out/jobs/main/sh-1.log
		do sleep 0.01; done; printf 'en-value ok\n.']], {timeout = 120}).stdout`)
	r := start(t, t.Context(), p, Options{Workspace: ws, Secrets: map[string]string{"token": "token-value"}})
	if r.State != "complete" {
		t.Errorf("the run is %+v", r.Outcome)
	}
	log, err := os.ReadFile(filepath.Join(r.dir, "jobs/main/sh-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(log)) {
		_, entry, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		got = append(got, entry)
	}
	want := []string{"stdout P go on? ", "stdout F {{ token }} ok", "stdout P ."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A line is in the log and on the console while its command still runs: the test sees the
// line first, and only then lets the command end.
func TestOutputIsImmediate(t *testing.T) {
	ws := t.TempDir()
	p := one(t, `sh("echo first; until [ -e seen ]; do sleep 0.01; done", {timeout = 120})`)
	r := start(t, t.Context(), p, Options{Workspace: ws, Output: writerFunc(func(b []byte) {
		if bytes.Contains(b, []byte("| first\n")) {
			if err := os.WriteFile(filepath.Join(ws, "seen"), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	})})
	if r.State != "complete" {
		t.Errorf("the run is %+v", r.Outcome)
	}
	log, err := os.ReadFile(filepath.Join(r.dir, "jobs/main/sh-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	stamp, _, _ := bytes.Cut(log, []byte(" "))
	read, err := time.Parse(runlog.TimeFormat, string(stamp))
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range r.events {
		if ev.Event == runlog.ShEnd && !read.Before(ev.Time) {
			t.Errorf("the line was read at %s, and the command had ended at %s", read, ev.Time)
		}
	}
}
