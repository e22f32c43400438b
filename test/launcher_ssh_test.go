package test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"quire/lib/process"
)

// sshd must be started by its full path.
const sshd = "/usr/sbin/sshd"

// TestLauncherSSH runs the scripts of the launcher ssh. The other machine is this one: a
// real sshd accepts a user without any files.
func TestLauncherSSH(t *testing.T) {
	t.Parallel()
	slow(t)
	if _, err := os.Stat(sshd); err != nil {
		t.Skip("sshd is not installed")
	}
	needsRoot(t)
	launcherScripts(t, "ssh", setupFar, func(env *testscript.Env) error {
		archive, err := hostileResults(env.WorkDir)
		return errors.Join(err, os.WriteFile(filepath.Join(env.WorkDir, "hostile.tar"), archive, 0o644))
	})
	anyLauncher(t, programs{
		launcher: `exec "$LAUNCHERS/ssh" -F "$SSH_CONFIG" far "$@"`,
		// The other machine notices a kill on this one a moment later.
		inside: `"$@"
			status=$?
			while [ -n "$(ls "$FAR_TMP"; ps -o stat= -u "$FAR" | grep -v ^Z)" ]; do :; done
			exit "$status"`,
	}, setupFar)
}

// hostileResults returns a tar that tries in every way to be unpacked elsewhere, such as
// in dir, or to create entries other than plain files.
func hostileResults(dir string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var err error
	for _, h := range []tar.Header{
		{Name: "evil-file", Mode: 0o7777},
		{Name: "../evil-above"},
		{Name: filepath.Join(dir, "evil-absolute")},
		{Name: "above", Typeflag: tar.TypeSymlink, Linkname: "../.."},
		{Name: "above/evil-behind-link"},
		{Name: "root", Typeflag: tar.TypeSymlink, Linkname: dir},
		{Name: "root/evil-behind-root"},
		{Name: "jobs", Typeflag: tar.TypeSymlink, Linkname: "../../.."},
		{Name: "run", Typeflag: tar.TypeLink, Linkname: "../run.toml"},
		{Name: "events.jsonl", Typeflag: tar.TypeSymlink, Linkname: "../history"},
		{Name: "device", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3},
		{Name: "fifo", Typeflag: tar.TypeFifo},
	} {
		err = errors.Join(err, w.WriteHeader(&h))
	}
	return b.Bytes(), errors.Join(err, w.Close())
}

// A far is another machine, as far as a user can tell.
type far struct {
	dir    string // of sshd, and of the programs in the user's PATH
	user   string
	daemon *process.Group
}

// fars counts the machines of this process.
var fars atomic.Int32

// setupFar creates another machine for a script. `ssh -F $SSH_CONFIG far` logs in as the
// user $FAR. The home is $FAR_HOME, TMPDIR is $FAR_TMP, and PATH is $FAR_BIN and
// $FAR_SYSTEM, which has links to the system's programs.
func setupFar(env *testscript.Env) error {
	f := &far{user: fmt.Sprintf("quire-far-%d-%d", os.Getpid(), fars.Add(1))}
	env.Defer(func() {
		if err := f.end(); err != nil {
			env.T().Log("cannot end far:", err)
		}
	})
	if err := f.start(); err != nil {
		return err
	}
	account, err := user.Lookup(f.user)
	if err != nil {
		return err
	}
	env.Setenv("FAR", f.user)
	env.Setenv("FAR_HOME", account.HomeDir)
	env.Setenv("FAR_BIN", f.path("bin"))
	env.Setenv("FAR_TMP", f.path("tmp"))
	env.Setenv("FAR_SYSTEM", f.path("system"))
	env.Setenv("SSH_CONFIG", f.path("ssh_config"))
	return nil
}

func (f *far) path(name string) string { return filepath.Join(f.dir, name) }

func (f *far) start() (err error) {
	if f.dir, err = os.MkdirTemp("", "quire-far"); err != nil {
		return err
	}
	ports, err := freePorts(1)
	if err != nil {
		return err
	}
	port := strconv.Itoa(ports[0])
	script := `
		chmod 755 .
		mkdir -m 1777 tmp
		mkdir bin
		ln "$3/bin/quire-ci" bin
		ln -s /usr/bin system
		useradd -m -s /bin/sh -p '*' "$1"
		ssh-keygen -q -t ed25519 -N '' -f host
		ssh-keygen -q -t ed25519 -N '' -f key
		install -D -o "$1" -m 600 key.pub "$(getent passwd "$1" | cut -d: -f6)/.ssh/authorized_keys"
		printf '[127.0.0.1]:%s %s\n' "$2" "$(cat host.pub)" >known_hosts
		cat >sshd_config <<-END
			ListenAddress 127.0.0.1:$2
			HostKey $PWD/host
			PidFile none
			UsePAM no
			PermitUserEnvironment QUIRE_PUSHER
			PasswordAuthentication no
			SetEnv PATH=$PWD/bin:$PWD/system TMPDIR=$PWD/tmp values=exported
		END
		cat >ssh_config <<-END
			Host far
			HostName 127.0.0.1
			Port $2
			User $1
			IdentityFile $PWD/key
			IdentitiesOnly yes
			UserKnownHostsFile $PWD/known_hosts
		END
		mkdir -p /run/sshd # which the daemon does not make`
	prepare := exec.Command("sh", "-euc", script, "sh", f.user, port, prefix)
	prepare.Dir = f.dir
	if out, err := prepare.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	log, err := os.Create(f.path("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	daemon := exec.Command(sshd, "-D", "-e", "-f", f.path("sshd_config"))
	daemon.Stderr = log
	if f.daemon, err = process.Start(daemon); err != nil {
		return err
	}
	return f.await("127.0.0.1:" + port)
}

// await returns when the daemon listens.
func (f *far) await(address string) error {
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-f.daemon.Done():
			log, _ := os.ReadFile(f.path("log"))
			return fmt.Errorf("sshd does not start: %s", log)
		default:
		}
	}
}

// end ends the daemon and all processes of the user, and removes both.
func (f *far) end() error {
	var errs []error
	if f.daemon != nil {
		errs = append(errs, f.daemon.End(0))
		_, err := f.daemon.Wait()
		errs = append(errs, err)
	}
	if account, err := user.Lookup(f.user); err == nil {
		errs = append(errs, endUser(account.Uid))
		if out, err := exec.Command("userdel", "-r", f.user).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("userdel: %w: %s", err, out))
		}
	}
	_ = syscall.Unmount(f.path("tmp"), 0) // if a script mounted a file system there
	return errors.Join(append(errs, os.RemoveAll(f.dir))...)
}

// endUser kills the processes of a user.
func endUser(uid string) error {
	for {
		out, err := exec.Command("ps", "-o", "pid=", "-u", uid).Output()
		if len(out) == 0 {
			return nil // ps exits with 1 if there are none
		}
		if err != nil {
			return err
		}
		for pid := range strings.FieldsSeq(string(out)) {
			n, err := strconv.Atoi(pid)
			if err != nil {
				return err
			}
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}
