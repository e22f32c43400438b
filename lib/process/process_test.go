package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// roles are functions that the test binary runs, instead of tests, if PROCESS_TEST_ROLE names
// them.
var roles = map[string]func(){
	// parent starts a command, prints its number, and waits to be killed.
	"parent": func() {
		g, err := Start(exec.Command("sleep", "1000"))
		if err != nil {
			panic(err)
		}
		fmt.Println(g.Pid())
		select {}
	},
	// regroup leaves a process in its own process group, as a shell with job control does.
	"regroup": func() {
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		os.Exit(0)
	},
	// cleaner writes a file a while after it gets SIGTERM, and then ends.
	"cleaner": func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println("ready")
		<-asked
		time.Sleep(100 * time.Millisecond)
		if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
			panic(err)
		}
		os.Exit(4)
	},
	// headless lets its first thread exit while others continue.
	"headless": func() {
		signal.Ignore(syscall.SIGTERM)
		go func() {
			fmt.Println("ready")
			select {}
		}()
		unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	},
}

func init() { // on the first thread
	if role := os.Getenv("PROCESS_TEST_ROLE"); role != "" {
		runtime.LockOSThread()
		roles[role]()
	}
}

// marked returns a command whose processes have a variable in their environment, and a
// function that returns those that are alive.
func marked(t *testing.T, name string, args ...string) (*exec.Cmd, func() []int) {
	t.Helper()
	mark := "PROCESS_TEST_MARK=" + t.TempDir()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), mark)
	return cmd, func() []int {
		table, err := readTable()
		if err != nil {
			t.Fatal(err)
		}
		var pids []int
		for _, p := range table.filter(func(p proc) bool {
			has, _ := hasEnv(p.pid, []string{mark})
			return has
		}) {
			pids = append(pids, p.pid)
		}
		return pids
	}
}

// begin starts cmd, waits until it has written a line, and returns the line. It does not
// wait for processes that keep the output open.
func begin(t *testing.T, cmd *exec.Cmd) (*Group, string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	g, err := Start(cmd)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the first line of output: %v", err)
	}
	return g, strings.TrimSuffix(line, "\n")
}

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   Status
		code   int
		text   string
	}{
		{"exit 0", Status{}, 0, "exit 0"},
		{"exit 3", Status{Code: 3}, 3, "exit 3"},
		{"kill -KILL $$", Status{Signal: syscall.SIGKILL}, 137, "signal 9 (killed)"},
		{"kill -TERM $$", Status{Signal: syscall.SIGTERM}, 143, "signal 15 (terminated)"},
	} {
		t.Run(tt.script, func(t *testing.T) {
			var out bytes.Buffer
			cmd := exec.Command("sh", "-c", "echo hello; "+tt.script)
			cmd.Stdout = &out
			g, err := Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if got.ExitCode() != tt.code || got.String() != tt.text {
				t.Errorf("got %d, %q; want %d, %q", got.ExitCode(), got, tt.code, tt.text)
			}
			if out.String() != "hello\n" {
				t.Errorf("output %q", out.String())
			}
			if err := g.Signal(syscall.SIGTERM); err != nil {
				t.Errorf("Signal after the end: %v", err)
			}
			if err := g.End(0); err != nil {
				t.Errorf("End after the end: %v", err)
			}
		})
	}
}

func TestStartCode(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{
		"no-such-command-anywhere":        127,
		filepath.Join(dir, "not-there"):   127,
		plain:                             126,
		filepath.Join(plain, "not-a-dir"): 126,
	} {
		_, err := Start(exec.Command(name))
		if err == nil {
			t.Fatalf("%s was started", name)
		}
		if got := StartCode(err); got != want {
			t.Errorf("%s: %d, want %d (%v)", name, got, want, err)
		}
	}
}

func TestOwnGroupAndSession(t *testing.T) {
	g, _ := begin(t, exec.Command("sh", "-c", "echo ready; exec sleep 1000"))
	p, err := readProc(g.Pid())
	if err != nil {
		t.Fatal(err)
	}
	if p.group != g.Pid() || p.session != g.Pid() || p.group == unix.Getpgrp() {
		t.Errorf("group %d, session %d of process %d", p.group, p.session, p.pid)
	}
	if err := g.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if got, _ := g.Wait(); got.Signal != syscall.SIGHUP {
		t.Errorf("ended by %v, want SIGHUP", got)
	}
}

// A command ignores neither of the two signals that shells ignore. For this process nothing
// changes.
func TestStopIgnoring(t *testing.T) {
	// They stay caught: after a reset they would be ignored again, even in the next test.
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT)
	for range 2 {
		g, line := begin(t, exec.Command("grep", "^SigIgn:", "/proc/self/status"))
		mask, err := strconv.ParseUint(strings.TrimPrefix(line, "SigIgn:\t"), 16, 64)
		if err != nil || mask&(1<<(unix.SIGHUP-1)|1<<(unix.SIGINT-1)) != 0 {
			t.Errorf("%q, %v", line, err)
		}
		g.Wait()
	}
	for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGINT} {
		if err := unix.Kill(unix.Getpid(), s); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(10 * time.Millisecond) // to be killed
}

// The command does not inherit a descriptor that this process inherited without
// close-on-exec, as a hook may.
func TestNoInheritedDescriptors(t *testing.T) {
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", "ls /proc/self/fd")
	cmd.Stdout = &out
	g, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	// ls itself has /proc/self/fd open.
	if got := strings.Fields(out.String()); len(got) != 4 {
		t.Errorf("descriptors %v, want 0, 1, 2 and that of ls", got)
	}
}

func TestDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "PROCESS_TEST_ROLE=parent")
	g, line := begin(t, parent)
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		t.Fatal(err)
	}
	p, err := readProc(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(g.Pid(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await([]proc{p}, time.Now().Add(time.Minute))
	if now, err := readProc(pid); err == nil && now.start == p.start && !now.zombie {
		t.Error("the command outlived the process that started it")
	}
	g.Wait()
}

// onMortalThread calls do on a thread that ends when do returns. The first thread never ends:
// if this goroutine has it, a second goroutine gets another thread.
func onMortalThread(do func()) {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		do()
		return
	}
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	go func() {
		defer close(done)
		onMortalThread(do)
	}()
	<-done
}

// If the thread that called Start exits, the command continues.
func TestOutlivesTheCallersThread(t *testing.T) {
	cmd := exec.Command("sh", "-c", "echo ready; read x; exit 7")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan *Group)
	tid := make(chan int)
	go onMortalThread(func() {
		g, _ := begin(t, cmd)
		started <- g
		tid <- unix.Gettid()
	})
	g := <-started
	task := fmt.Sprintf("/proc/self/task/%d", <-tid)
	for {
		if _, err := os.Stat(task); err != nil {
			break
		}
		runtime.Gosched()
	}
	io.WriteString(stdin, "go on\n")
	if got, _ := g.Wait(); got.Code != 7 {
		t.Errorf("ended with %v, want exit 7", got)
	}
}
