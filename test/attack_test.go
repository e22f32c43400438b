package test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestAttack runs the attacks of testdata/attack. Each tries to break a promise of
// SECURITY.md: it pushes to real repositories, with the executor quire-ci and the
// launcher bwrap. If a script says exposed, the launcher isolates nothing: the attack
// must then succeed, which proves that it is one.
func TestAttack(t *testing.T) {
	t.Parallel()
	needsSandbox(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/attack",
		Setup: setupAttack,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "unchecked": unchecked, "repo": repo, "commit": commit,
			"sandboxed": sandboxed, "exposed": exposed, "launched": launched, "achieves": achieves,
			"victim": victim, "listener": listener, "processes": processes, "evaluate": evaluate, "generate": generate,
		},
		Condition:           condition,
		RequireExplicitExec: true,
	})
}

var promise = regexp.MustCompile(`(?m)^(\d+)\. (?s:(.*?))\(` + "`" + `([a-z]+/[a-z]+\.txtar)` + "`" + `\)$`)

// TestPromises checks that the promises of SECURITY.md are numbered, that each names the
// script that attacks it, that the script names the number, and that no other attack exists.
func TestPromises(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	promises := promise.FindAllStringSubmatch(read(t, "../SECURITY.md"), -1)
	for i, p := range promises {
		number, text, script := p[1], p[2], p[3]
		if number != strconv.Itoa(i+1) || strings.Contains(text, "\n\n") {
			t.Errorf("promise %d is numbered %s, or the one before it has no attack: %.60s", i+1, number, text)
		}
		if !strings.Contains(read(t, "testdata/"+script), "# promise "+number+": ") {
			t.Errorf("%s does not attack promise %s", script, number)
		}
		named["testdata/"+script] = true
	}
	scripts, err := filepath.Glob("testdata/attack/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no attacks: %v", err)
	}
	for _, script := range scripts {
		if !named[script] {
			t.Errorf("no promise is attacked by %s", script)
		}
	}
}

var heldBy = regexp.MustCompile("`(Test\\w+|(?:attack|launcher|script)/[a-z-]+)`")

// TestArchitecture checks that the tests which ARCHITECTURE.md names exist.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	for _, dir := range []string{"../cmd", "../lib", "."} {
		for _, file := range goFiles(t, dir) {
			if strings.HasSuffix(file, "_test.go") {
				tests.WriteString(read(t, file))
			}
		}
	}
	named := heldBy.FindAllStringSubmatch(read(t, "../ARCHITECTURE.md"), -1)
	if len(named) == 0 {
		t.Error("ARCHITECTURE.md names no test")
	}
	for _, n := range named {
		_, err := os.Stat("testdata/" + n[1] + ".txtar")
		if err != nil && !strings.Contains(tests.String(), "\nfunc "+n[1]+"(t *testing.T)") {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", n[1])
		}
	}
}

// setupAttack is like setup, with a file of facts that an attacker would know, for jobs.
func setupAttack(env *testscript.Env) error {
	if err := setup(env, "quire-ci"); err != nil {
		return err
	}
	env.Values[attempts] = new(int)
	env.Setenv("BIN", filepath.Join(prefix, "bin"))
	launchers, err := filepath.Abs("../contrib/launchers")
	if err != nil {
		return err
	}
	env.Setenv("LAUNCHERS", launchers)
	env.Setenv("TOP", env.WorkDir)
	known := fmt.Sprintf("TOP=%s\nROOT=%s\nBIN=%s\n", env.WorkDir, filepath.Join(env.WorkDir, "root"), filepath.Join(prefix, "bin"))
	return os.WriteFile(filepath.Join(env.WorkDir, "known"), []byte(known), 0o644)
}

// attempts is the key of the number of attacks that a script has made.
type key string

const attempts key = "attempts"

// tell appends a line to the facts that attackers know.
func tell(ts *testscript.TestScript, name string, value any) {
	f, err := os.OpenFile(ts.MkAbs("known"), os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	defer f.Close()
	fmt.Fprintf(f, "%s=%v\n", name, value)
}

// sandboxed [OPTION...] configures the launcher bwrap, and adds the file config of the
// script, in which $TOP is the directory of the script.
func sandboxed(ts *testscript.TestScript, neg bool, args []string) {
	configure(ts, append([]string{filepath.Join(ts.Getenv("LAUNCHERS"), "bwrap")}, args...))
}

// exposed configures a launcher that isolates nothing.
func exposed(ts *testscript.TestScript, neg bool, args []string) { configure(ts, []string{"nice"}) }

// launched WORD... configures that launcher.
func launched(ts *testscript.TestScript, neg bool, args []string) { configure(ts, args) }

func configure(ts *testscript.TestScript, launcher []string) {
	launcher = slices.Clone(launcher)
	for i, word := range launcher {
		launcher[i] = strconv.Quote(word)
	}
	text := fmt.Sprintf("executor = \"quire-ci\"\ngrace = \"500ms\"\nlauncher = [%s]\n", strings.Join(launcher, ", "))
	if more, err := os.ReadFile(ts.MkAbs("config")); err == nil {
		text += strings.ReplaceAll(string(more), "$TOP", ts.MkAbs("."))
	}
	name := ts.MkAbs("root/config.toml")
	ts.Check(os.WriteFile(name, []byte(text), 0o600))
	ts.Check(os.Chmod(name, 0o600))
}

var achieved = regexp.MustCompile(`(?m)^\S+ stdout F got (.*)$`)

// achieves [NAME...] runs the script attack.sh as the only job of a push, with known in its
// workspace, and checks that it achieved exactly the names: it prints "got NAME" for each,
// and "over" at its end.
func achieves(ts *testscript.TestScript, neg bool, want []string) {
	n := ts.Value(attempts).(*int)
	*n++
	branch := fmt.Sprintf("attempt-%d", *n)
	const pipeline = "(local ci (require :quire.ci))\n" +
		"(ci.job :attack [:quire/push] (fn [{: sh}] (sh \"sh ./attack.sh\" {:timeout \"60s\"})))\n"
	ts.Check(os.MkdirAll(ts.MkAbs("work/.quire"), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs("work/.quire/ci.fnl"), []byte(pipeline), 0o644))
	for _, name := range []string{"attack.sh", "known"} {
		ts.Check(os.WriteFile(ts.MkAbs("work/"+name), []byte(ts.ReadFile(name)), 0o755))
	}
	work := ts.MkAbs("work")
	ts.Check(ts.Exec("git", "-C", work, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", work, "commit", "-q", "--allow-empty", "-m", branch))
	ts.Check(ts.Exec("git", "-C", work, "push", "-q", "-o", "ci.wait", "origin", "HEAD:refs/heads/"+branch))
	log := ts.ReadFile("stderr")
	ts.Check(ts.Exec("quire-runstate", "show", "foo.git@refs/heads/"+branch))
	_, dir, ok := strings.Cut(ts.ReadFile("stdout"), "\ndir\t")
	if !ok {
		ts.Fatalf("no run of %s", branch)
	}
	dir, _, _ = strings.Cut(dir, "\n")
	text, err := os.ReadFile(filepath.Join(dir, "jobs/attack/sh-1.log"))
	ts.Check(err)
	if !bytes.Contains(text, []byte(" stdout F over\n")) {
		ts.Fatalf("the attack did not come to its end:\n%s%s", text, log)
	}
	var got []string
	for _, match := range achieved.FindAllSubmatch(text, -1) {
		got = append(got, string(match[1]))
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		ts.Fatalf("the attack got %q, want %q:\n%s", got, want, text)
	}
	ts.Setenv("RUN", dir)
}

// victim starts a process that does not belong to any run. Attackers know its number,
// VICTIM, and that it has the word quire-victim among its arguments.
func victim(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command("sleep", "600", "0")
	cmd.Args[0] = "quire-victim"
	ts.Check(cmd.Start())
	tell(ts, "VICTIM", cmd.Process.Pid)
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// processes [!] WORD checks that a process has the word among its arguments.
func processes(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] processes WORD")
	}
	found := 0
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil && slices.Contains(strings.Split(string(text), "\x00"), args[0]) {
			found++
		}
	}
	if neg != (found == 0) {
		ts.Fatalf("%d processes have the argument %s", found, args[0])
	}
}

// listener listens on a port of loopback, PORT, and on an abstract socket, and says hello on
// each connection.
func listener(ts *testscript.TestScript, neg bool, args []string) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	name := fmt.Sprintf("quire-attack-%d", tcp.Addr().(*net.TCPAddr).Port)
	abstract, err := net.Listen("unix", "@"+name)
	ts.Check(err)
	file, err := net.Listen("unix", filepath.Join(ts.MkAbs("."), "socket"))
	ts.Check(err)
	tell(ts, "PORT", tcp.Addr().(*net.TCPAddr).Port)
	tell(ts, "ABSTRACT", name)
	for _, l := range []net.Listener{tcp, abstract, file} {
		ts.Defer(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Write([]byte("hello\n"))
				c.Close()
			}
		}()
	}
}

// Bounds of an evaluation with the limits 500 ms and 32 MiB. Compiling comes on top.
const (
	maxEvaluation = 20 * time.Second // of processor time
	maxMemory     = 400 << 20
	maxSaid       = 256 << 10
)

// evaluate NAME TEXT PATTERN triggers a pipeline with the text, and checks that the message
// to the pusher matches the pattern, and that the evaluation keeps within the bounds.
func evaluate(ts *testscript.TestScript, neg bool, args []string) {
	text := "(local ci (require :quire.ci))\n" + args[1] + "\n"
	ts.Check(os.MkdirAll(ts.MkAbs("work/.quire"), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs("work/.quire/ci.fnl"), []byte(text), 0o644))
	work := ts.MkAbs("work")
	ts.Check(ts.Exec("git", "-C", work, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", work, "commit", "-qm", args[0]))
	ts.Check(ts.Exec("git", "-C", work, "push", "-q", "-o", "ci.skip", "origin", "HEAD:refs/heads/"+args[0]))
	var said bytes.Buffer
	cmd := exec.Command(filepath.Join(prefix, "bin/quire-trigger"), "--git-dir", ts.MkAbs("root/repos/foo.git"), "--ref", args[0])
	cmd.Stdout, cmd.Stderr = &said, &said
	for _, name := range []string{"PATH", "HOME", "QUIRE_ROOT", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		ts.Fatalf("%s: want exit status 1, got %v:\n%.1000s", args[0], err, said.Bytes())
	}
	took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if memory := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10; took > maxEvaluation || memory > maxMemory || said.Len() > maxSaid {
		ts.Fatalf("%s: took %s and %d MiB, and said %d bytes", args[0], took, memory>>20, said.Len())
	}
	if !regexp.MustCompile(args[2]).Match(said.Bytes()) {
		ts.Fatalf("%s: no match for %s:\n%.1000s", args[0], args[2], said.Bytes())
	}
	if i := bytes.IndexFunc(said.Bytes(), func(c rune) bool { return c != '\n' && c != '\t' && unicode.IsControl(c) }); i >= 0 {
		ts.Fatalf("%s: said a control character: %q", args[0], said.Bytes()[i:min(i+40, said.Len())])
	}
}

// generate NAME PERL PATTERN is like evaluate for the result of a Perl expression.
func generate(ts *testscript.TestScript, neg bool, args []string) {
	text, err := exec.Command("perl", "-e", "print "+args[1]).Output()
	ts.Check(err)
	evaluate(ts, neg, []string{args[0], string(text), args[2]})
}
