package process

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// escapes are scripts that print a line and leave processes behind.
var escapes = map[string]string{
	"background":    `sleep 1000 & echo ready`,
	"double fork":   `(sleep 1000 &) ; echo ready`,
	"setsid":        `setsid sleep 1000 & echo ready`,
	"setsid twice":  `setsid setsid -f sh -c 'echo ready; exec sleep 1000'`,
	"closes all":    `setsid -f sh -c 'exec sleep 1000 <&- >&- 2>&-'; echo ready`,
	"ignores TERM":  `setsid -f sh -c 'trap "" TERM HUP INT; echo ready; while :; do sleep 1000; done'`,
	"stopped":       `setsid -f sh -c 'echo ready; kill -STOP $$'`,
	"forks on TERM": `setsid -f sh -c 'trap "setsid -f sleep 1000; exit" TERM; echo ready; while :; do sleep 1000 & wait; done'`,
	"leader stays":  `setsid -f sleep 1000; echo ready; exec sleep 1000`,
	"many":          `i=0; while [ $i -lt 300 ]; do setsid -f sleep 1000; i=$((i+1)); done; echo ready`,
}

const grace = 50 * time.Millisecond

func TestEndDescendants(t *testing.T) {
	if err := Subreaper(); err != nil {
		t.Fatal(err)
	}
	for name, script := range escapes {
		t.Run(name, func(t *testing.T) {
			cmd, living := marked(t, "sh", "-c", script)
			g, _ := begin(t, cmd)
			for len(living()) == 0 {
				// A process that is just beginning a program has no visible environment.
				runtime.Gosched()
			}
			if err := EndDescendants(grace); err != nil {
				t.Fatal(err)
			}
			if pids := living(); len(pids) != 0 {
				t.Errorf("processes %v are left", pids)
			}
			if _, err := g.Wait(); err != nil {
				t.Errorf("Wait cannot reap the leader: %v", err)
			}
			noZombies(t)
		})
	}
}

// A process ends before its children: otherwise a shell would report for each child that it
// was killed, and continue.
func TestEndParentsFirst(t *testing.T) {
	const script = `trap "" TERM
nest() {
	if [ "$1" -gt 0 ]; then (nest $(($1 - 1))); echo "level $1 continues"; else echo ready; sleep 1000; fi
}
nest 30`
	for range 5 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdout, cmd.Stderr = w, w
		g, err := Start(cmd)
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
		out := bufio.NewReader(r)
		if line, err := out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if err := g.End(grace); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(out)
		if len(rest) > 0 || err != nil {
			t.Errorf("a shell continued: %q, %v", rest, err)
		}
		if _, err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
}

// noZombies fails the test if an ended child was not reaped.
func noZombies(t *testing.T) {
	t.Helper()
	table, err := readTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range table {
		if p.zombie && p.parent == os.Getpid() {
			t.Errorf("process %d is left unreaped", p.pid)
		}
	}
}

// A process whose first thread has exited looks ended in /proc.
func TestEndDescendantsFindsAProcessWithoutItsFirstThread(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=headless")
	g, _ := begin(t, cmd)
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(stat, []byte(") Z ")) {
			break
		}
		runtime.Gosched()
	}
	if err := EndDescendants(grace); err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.Done():
	default:
		t.Error("the process is left")
	}
	g.Wait()
}

// A process that keeps forking and exiting never has one number for long.
func TestEndDescendantsEndsAProcessThatKeepsForking(t *testing.T) {
	if err := Subreaper(); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "hop")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ntrap '' TERM\necho ready\nsetsid \"$0\" &\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script)
	g, _ := begin(t, cmd)
	if err := EndDescendants(grace); err != nil {
		t.Fatal(err)
	}
	// A later fork would not find its script and complain on standard error.
	g.Wait()
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if !errors.Is(err, unix.ECHILD) {
		t.Errorf("there is still a child (%v)", err)
	}
}

// Children of exec.Cmd are left to it, ended or not.
func TestEndDescendantsSparesPlainChildren(t *testing.T) {
	plain := exec.Command("sh", "-c", "echo ready; read x; exit 5")
	stdin, err := plain.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	quick := exec.Command("true")
	for _, c := range []*exec.Cmd{plain, quick} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := EndDescendants(grace); err != nil {
		t.Fatal(err)
	}
	stdin.Close()
	plain.Wait()
	if got := plain.ProcessState.ExitCode(); got != 5 {
		t.Errorf("plain child ended with %d, want 5", got)
	}
	if err := quick.Wait(); err != nil {
		t.Errorf("plain child that had ended: %v", err)
	}
}

func TestGroupEnd(t *testing.T) {
	for _, waitFirst := range []bool{false, true} {
		cmd, living := marked(t, os.Args[0])
		cmd.Env = append(cmd.Env, "PROCESS_TEST_ROLE=regroup")
		g, _ := begin(t, cmd)
		<-g.Done()
		if waitFirst {
			g.Wait()
		}
		if len(living()) == 0 {
			t.Fatal("nothing left to end")
		}
		if err := g.End(grace); err != nil {
			t.Fatal(err)
		}
		if pids := living(); len(pids) != 0 {
			t.Errorf("processes %v are left", pids)
		}
		if !waitFirst {
			g.Wait()
		}
	}
}

// End waits for a process that ends on TERM, but not longer than the process needs.
func TestGrace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cleaned")
	cmd := exec.Command(os.Args[0], file)
	cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE=cleaner")
	g, _ := begin(t, cmd)
	begun := time.Now()
	if err := g.End(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, _ := g.Wait(); got.Code != 4 {
		t.Errorf("ended with %v, want exit 4", got)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if d := time.Since(begun); d > 30*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestEndEnviron(t *testing.T) {
	cmd, living := marked(t, "sh", "-c", `setsid -f sh -c 'echo ready; exec sleep 1000'; (sleep 1000 &) ; exec env -i sleep 1000`)
	g, _ := begin(t, cmd)
	other, _ := marked(t, "sh", "-c", "echo ready; read x; exit 6")
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	o, _ := begin(t, other)

	mark := cmd.Env[len(cmd.Env)-1]
	if err := EndEnviron(grace, "PROCESS_TEST_MARK=no such", mark); err != nil {
		t.Fatal(err)
	}
	if pids := living(); len(pids) != 0 {
		t.Errorf("processes %v are left", pids)
	}
	if got, _ := g.Wait(); got.Signal == 0 {
		t.Errorf("a process that wiped its environment, in the same session: %v", got)
	}
	stdin.Close()
	if got, _ := o.Wait(); got.Code != 6 {
		t.Errorf("a process with another mark ended with %v, want exit 6", got)
	}
}

// It is certain that a process without an environment has none of the assignments when its
// program has begun. The same is true for a kernel thread.
func TestHasEnvWithoutEnvironment(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	cmd.Env = []string{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for _, pid := range []int{cmd.Process.Pid, 2} {
		has, certain := hasEnv(pid, []string{"PROCESS_TEST_MARK=no such"})
		for deadline := time.Now().Add(time.Minute); !certain && time.Now().Before(deadline); {
			runtime.Gosched() // Start returns before the program has its arguments and environment
			has, certain = hasEnv(pid, []string{"PROCESS_TEST_MARK=no such"})
		}
		if has || !certain {
			t.Errorf("process %d: has %v, certain %v", pid, has, certain)
		}
	}
}
