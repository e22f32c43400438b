package executor

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"

	"quire/lib/pipeline"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/vm"
)

// load makes a pipeline from Lua code that calls job(id, inputs, fn) in the order of the
// graph. It does not check the rules of package pipeline.
func load(t testing.TB, text string) *pipeline.Pipeline {
	t.Helper()
	p := &pipeline.Pipeline{File: "ci.lua", VM: vm.New(vm.DefaultLimits)}
	t.Cleanup(p.VM.Close)
	l := p.VM.State()
	l.SetGlobal("job", l.NewFunction(func(l *lua.LState) int {
		j := &pipeline.Job{ID: l.CheckString(1), Fn: l.CheckFunction(3), File: p.File, Line: callerOf(l).line}
		inputs := l.CheckTable(2)
		for i := 1; i <= inputs.Len(); i++ {
			j.Inputs = append(j.Inputs, inputs.RawGetInt(i).String())
		}
		switch l.OptString(4, "") {
		case "never":
			j.Options.When.Branch = []string{"never"}
		case "allow-failure":
			j.Options.AllowFailure = true
		case "allow-skipped":
			j.Options.AllowSkipped = true
		case "always":
			j.Options.Always = true
		}
		p.Jobs = append(p.Jobs, j)
		return 0
	}))
	fn, err := p.VM.Load(text, p.File)
	if err == nil {
		_, err = p.VM.Call(t.Context(), fn)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one makes a pipeline of one job. body is the body of its run-fn, with the primitives as
// local variables.
func one(t testing.TB, body string) *pipeline.Pipeline {
	t.Helper()
	return load(t, `job("main", {"quire/push"}, function(q)
local sh, secret, jobs, log, env = q.sh, q.secret, q.jobs, q.log, q.env
`+body+`
end)`)
}

// A result is the outcome of a run, its files and its output.
type result struct {
	Outcome
	err    error
	dir    string
	output string
	events []runlog.Event
}

// job returns the outcome of a job.
func (r result) job(id string) JobOutcome {
	for _, j := range r.Jobs {
		if j.ID == id {
			return j
		}
	}
	return JobOutcome{}
}

// recorded returns the output of a job in events.jsonl.
func (r result) recorded(id string) string {
	for _, ev := range r.events {
		if ev.Event == runlog.JobEnd && ev.Job == id {
			return string(ev.Output)
		}
	}
	return ""
}

// written returns the contents of all files of the run as one text.
func (r result) written(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs p with o, whose empty fields get defaults.
func start(t testing.TB, ctx context.Context, p *pipeline.Pipeline, o Options) result {
	t.Helper()
	if o.Workspace == "" {
		o.Workspace = t.TempDir()
	}
	o.Out = filepath.Join(t.TempDir(), "out")
	if o.Env == nil {
		o.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	var output syncBuffer
	if o.Output == nil {
		o.Output = &output
	} else {
		o.Output = io.MultiWriter(o.Output, &output)
	}
	r := result{dir: o.Out}
	r.Outcome, r.err = Run(ctx, p, o)
	r.output = output.String()
	for ev, err := range runlog.ReadEvents(o.Out) {
		if err != nil {
			t.Error(err)
		}
		r.events = append(r.events, ev)
	}
	return r
}

func run1(t testing.TB, body string, o Options) result {
	t.Helper()
	r := start(t, t.Context(), one(t, body), o)
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r
}

// A run is complete only if its job is.
func TestOutcome(t *testing.T) {
	tests := map[string]struct {
		body   string
		state  string
		reason string
		code   int
		text   string // part of the error
	}{
		"success":             {`sh("true")`, "complete", "", 0, ""},
		"failure":             {`sh("exit 3")`, "failed", "exit", 3, "ci.lua:3: command 'exit 3' failed with exit 3"},
		"failure returned":    {`return sh("exit 3")`, "failed", "exit", 3, "exit 3"},
		"failure, then step":  {`sh("exit 3"); sh("touch late")`, "failed", "exit", 3, "command 'exit 3'"},
		"failure caught":      {`sh("exit 3"); pcall(log, "x"); return 1`, "failed", "exit", 3, "exit 3"},
		"failure looked at":   {`local r = sh("exit 3"); if r.exit == 3 then sh("true") end`, "complete", "", 0, ""},
		"looked at too late":  {`local r = sh("exit 3"); pcall(sh, "true"); return r.exit`, "failed", "exit", 3, "exit 3"},
		"no check":            {`sh("exit 3", {check = false}); sh("true")`, "complete", "", 0, ""},
		"signal":              {`sh("kill -9 $$")`, "failed", "signal", 137, "was ended by signal KILL"},
		"not found":           {`sh({"no-such-program"})`, "failed", "exit", 127, "could not be started (exit 127): command not found"},
		"not found in shell":  {`sh("no-such-program")`, "failed", "exit", 127, "failed with exit 127"},
		"not executable":      {`sh({"/dev/null"})`, "failed", "exit", 126, "could not be started (exit 126): permission denied"},
		"not found, seen":     {`return sh({"no-such-program"}).exit == 127`, "complete", "", 0, ""},
		"raised":              {`error("broken")`, "failed", "error", 0, "ci.lua:3: broken"},
		"raised after":        {`sh("exit 3"); error("broken")`, "failed", "exit", 3, "exit 3"},
		"nil index":           {`local x; return x.y`, "failed", "error", 0, "ci.lua:3:"},
		"nothing":             {`return nil`, "skipped", "empty", 0, ""},
		"an output":           {`return 1`, "complete", "", 0, ""},
		"nil with commands":   {`sh("true"); return nil`, "complete", "", 0, ""},
		"junk":                {`return {a = {b = {1, print}}}`, "failed", "error", 0, "holds a function at '.a.b[2]'"},
		"primitives":          {`return q`, "failed", "error", 0, "holds a function at '"},
		"cycle":               {`local t = {}; t.t = t; return t`, "failed", "error", 0, "contains itself at '.t'"},
		"not finite":          {`return {n = 0/0}`, "failed", "error", 0, "not finite"},
		"table key":           {`return {[{}] = 1}`, "failed", "error", 0, "has a table as a key"},
		"unknown secret":      {`secret("nope")`, "failed", "error", 0, "ci.lua:3: secret: no secret 'nope': there are "},
		"not an input":        {`jobs("other")`, "failed", "error", 0, "'other' is no input of job 'main', direct or not: there are 'quire/push'"},
		"unknown option":      {`sh("true", {user = "root"})`, "failed", "error", 0, "unknown option 'user': there are check, cwd, env, shell, stdin, timeout"},
		"empty sequence":      {`sh({})`, "failed", "error", 0, "the command is empty"},
		"empty string":        {`sh("")`, "failed", "error", 0, "the command is empty"},
		"no command":          {`sh()`, "failed", "error", 0, "the command is a nil"},
		"table in sequence":   {`sh({"a", {}})`, "failed", "error", 0, "the command has a table as word 2, not a string or a number"},
		"shell of words":      {`sh({"true"}, {shell = {"bash", "-c"}})`, "failed", "error", 0, "option 'shell' is only for a command that is a string"},
		"shell a string":      {`sh("true", {shell = "bash"})`, "failed", "error", 0, "option 'shell' is a string, not a sequence of words"},
		"empty shell":         {`sh("true", {shell = {}})`, "failed", "error", 0, "option 'shell' is empty"},
		"table in shell":      {`sh("true", {shell = {"bash", {}}})`, "failed", "error", 0, "option 'shell' has a table as word 2"},
		"named shell":         {`sh("true", {shell = {name = "bash"}})`, "failed", "error", 0, "option 'shell' is a table that is no sequence"},
		"NUL in shell":        {`sh("true", {shell = {"a\0b"}})`, "failed", "error", 0, "option 'shell' holds a NUL byte"},
		"no such shell":       {`sh("true", {shell = {"no-such-shell", "-c"}})`, "failed", "exit", 127, "could not be started"},
		"first line fails":    {`sh("false\ntrue")`, "failed", "exit", 1, "command 'false...' failed with exit 1"},
		"middle line fails":   {`sh("true\n(exit 3)\ntrue")`, "failed", "exit", 3, "failed with exit 3"},
		"failure is allowed":  {`sh("false || true\nset +e\nfalse\ntrue")`, "complete", "", 0, ""},
		"no check, not read":  {`sh("false\ntrue", {check = false})`, "complete", "", 0, ""},
		"named word":          {`sh({"a", x = "b"})`, "failed", "error", 0, "no sequence"},
		"NUL":                 {`sh({"a\0b"})`, "failed", "error", 0, "NUL"},
		"timeout in days":     {`sh("true", {timeout = "1d12h"})`, "complete", "", 0, ""},
		"negative timeout":    {`sh("true", {timeout = "-1d"})`, "failed", "error", 0, "option 'timeout' is '-1d'"},
		"bad timeout":         {`sh("true", {timeout = "soon"})`, "failed", "error", 0, "option 'timeout' is 'soon'"},
		"cwd missing":         {`sh("true", {cwd = "nope"})`, "failed", "error", 0, "cannot run in 'nope'"},
		"cwd outside":         {`sh("true", {cwd = "../.."})`, "failed", "error", 0, "outside the workspace"},
		"command timeout":     {`sh("sleep 60", {timeout = 0.05})`, "failed", "timeout", 124, "ran longer than 50ms"},
		"timeout looked at":   {`local r = sh("sleep 60", {timeout = 0.05}); return r.exit == 124 and r.timeout`, "complete", "", 0, ""},
		"timeout is no green": {`sh("trap 'exit 0' TERM; sleep 60 & wait", {timeout = 0.2})`, "failed", "timeout", 124, "ran longer than"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := run1(t, tt.body, Options{})
			got := r.job("main")
			want := JobOutcome{State: tt.state, Reason: tt.reason, Code: tt.code}
			if diff := cmp.Diff(want, JobOutcome{State: got.State, Reason: got.Reason, Code: got.Code}); diff != "" {
				t.Errorf("%s%s", diff, got.Error)
			}
			if !strings.Contains(got.Error, tt.text) || tt.text == "" && got.Error != "" {
				t.Errorf("error is %q, want one with %q", got.Error, tt.text)
			}
			wantRun := Outcome{State: "complete"}
			if tt.state == "failed" {
				wantRun = Outcome{State: "failed", Reason: "exit", Code: 1}
			}
			if diff := cmp.Diff(wantRun, Outcome{State: r.State, Reason: r.Reason, Code: r.Code}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBrokenScripts runs scripts whose first line is wrong, as words and as strings.
func TestBrokenScripts(t *testing.T) {
	ws := t.TempDir()
	for name, text := range map[string]string{
		"gone": "#!/no/such/shell\n", "dos": "#!/bin/sh\r\ntrue\r\n", "dos-option": "#!/bin/sh -e\r\ntrue\r\n", "dos-env": "#!/usr/bin/env sh\r\n", "good": "#!/bin/sh\nexit 127\n",
	} {
		if err := os.WriteFile(filepath.Join(ws, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const dos = "its first line ends in CR LF: save it with LF alone"
	const hint = ": jobs find programs in [env] PATH of the configuration" // only for other reasons
	for _, test := range []struct{ body, want string }{
		{`sh({"./gone"})`, "could not be started (exit 127): its interpreter '/no/such/shell' does not exist"},
		{`sh({"gone"}, {env = {PATH = env("QUIRE_WORKSPACE")}})`, "could not be started (exit 127): its interpreter '/no/such/shell' does not exist"},
		{`sh({"./dos", "x"})`, "could not be started (exit 127): " + dos},
		{`sh({"./dos-option"})`, ": './dos-option': " + dos},
		{`sh({"./dos-env"})`, "failed with exit 127: './dos-env': " + dos},
		{`sh("true && ./dos x")`, ": './dos': " + dos},
		{`sh("./gone")`, ": './gone': its interpreter '/no/such/shell' does not exist"},
		{`sh("./good")`, "failed with exit 127" + hint},
		{`sh({"./good"})`, "failed with exit 127" + hint},
		{`sh("./none")`, "failed with exit 127" + hint},
	} {
		r := run1(t, test.body, Options{Workspace: ws, Facts: push.Facts{ID: "id"}})
		if got := r.job("main").Error; !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: the error is %q, want %q at its end", test.body, got, test.want)
		}
	}
}

// A command that failed stops the job before the next one.
func TestFailureStopsTheJob(t *testing.T) {
	ws := t.TempDir()
	run1(t, `sh("false"); sh("touch late")`, Options{Workspace: ws})
	if _, err := os.Stat(filepath.Join(ws, "late")); err == nil {
		t.Error("the command behind a failed one ran")
	}
}

func TestSh(t *testing.T) {
	t.Setenv("QUIRE_TEST_LEAK", "x")
	ws := t.TempDir()
	if err := os.MkdirAll(filepath.Join(ws, "sub", "dir"), 0o777); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ body, want string }{
		"string":       {`return sh("echo a; echo b >&2")`, `{"cmd":"echo a; echo b >&2","exit":0,"stderr":"b\n","stdout":"a\n"}`},
		"argv":         {`return sh({"printf", "%s|", "a b", 1, "$HOME"})`, `{"cmd":"printf '%s|' 'a b' 1 '$HOME'","exit":0,"stderr":"","stdout":"a b|1|$HOME|"}`},
		"env":          {`return sh('echo "$A$B$CI$GONE"', {env = {A = "x", B = 2, CI = false}}).stdout`, `"x2\n"`},
		"cwd":          {`return sh("pwd", {cwd = "sub/dir"}).stdout:match("/sub/dir\n$") ~= nil`, `true`},
		"absolute cwd": {`return sh("pwd", {cwd = env("QUIRE_WORKSPACE") .. "/sub"}).stdout:match("/sub\n$") ~= nil`, `true`},
		"stdin":        {`return sh("cat", {stdin = "in\n"}).stdout`, `"in\n"`},
		"no stdin":     {`return sh("cat").stdout`, `""`},
		"unread stdin": {`return sh("true", {stdin = ("x"):rep(1000000)}).exit`, `0`},
		"background":   {`return sh("sleep 60 & echo started").stdout`, `"started\n"`},
		"unterminated": {`return sh("printf x").stdout`, `"x"`},
		"bytes":        {`return sh("printf 'a\\000\\377'").stdout == "a\0\255"`, `true`},
		"path":         {`return sh({"hello"}, {env = {PATH = env("QUIRE_WORKSPACE")}}).stdout`, `"hello\n"`},
		"stops":        {`return sh("echo a\nfalse\necho b", {check = false})`, `{"cmd":"echo a\nfalse\necho b","exit":1,"stderr":"","stdout":"a\n"}`},
		"prints none":  {`local r = sh("false\necho x"); return r.exit .. r.stdout`, `"1"`},
		"another":      {`return sh("false | true; echo $0", {shell = {"bash", "-euo", "pipefail", "-c"}}).exit`, `1`},
		"words as is":  {`return sh("x y", {shell = {"printf", "%s|", 1}}).stdout`, `"1|x y|"`},
		"as before":    {`return sh("false; echo x", {shell = {"/bin/sh", "-c"}}).stdout`, `"x\n"`},
		"no table":     {`return #sh("echo a").stdout`, `2`},
		"metatable":    {`return getmetatable(sh("true"))`, `"result of sh"`},
	}
	script := []byte("#!/bin/sh\necho hello\n")
	if err := os.WriteFile(filepath.Join(ws, "hello"), script, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := run1(t, tt.body, Options{Workspace: ws, Grace: 50 * time.Millisecond})
			if got := r.recorded("main"); got != tt.want {
				t.Errorf("output is %s, want %s\n%s", got, tt.want, r.job("main").Error)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	ws := t.TempDir()
	r := run1(t, `return sh("env").stdout`, Options{
		Workspace: ws,
		Facts:     push.Facts{ID: "id", Repo: "a.git", Ref: "refs/heads/main", SHA: "abc", Trigger: "nightly", Vars: map[string]string{"VAR": "f", "MORE": "f", "CI": "f"}},
		Env:       BaseEnv([]string{"PATH=" + os.Getenv("PATH"), "GIT_DIR=/x", "QUIRE_ROOT=/y", "LC_ALL=C", "MORE=1", "OTHER=2"}, []string{"MORE", "GIT_DIR"}, ""),
		Vars:      map[string]string{"VAR": "v"},
	})
	var text string
	if err := json.Unmarshal([]byte(r.recorded("main")), &text); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "PATH=") && !strings.HasPrefix(line, "PWD=") &&
			!strings.HasPrefix(line, "SHLVL=") && !strings.HasPrefix(line, "_=") && !strings.HasPrefix(line, "OLDPWD=") {
			got = append(got, line)
		}
	}
	want := newEnviron([]string{
		"CI=true", "LC_ALL=C", "MORE=f", "QUIRE_JOB=main", "QUIRE_REF=refs/heads/main", "QUIRE_REPO=a.git",
		"QUIRE_RUN=id", "QUIRE_SHA=abc", "QUIRE_TRIGGER=nightly", "QUIRE_WORKSPACE=" + ws, "VAR=v",
		"QUIRE_ARTIFACTS=" + filepath.Join(r.dir, "jobs/main/artifacts"), "QUIRE_INPUTS=" + filepath.Join(r.dir, "scratch/none"),
	})
	if diff := cmp.Diff(want, newEnviron(got)); diff != "" {
		t.Error(diff)
	}
}
