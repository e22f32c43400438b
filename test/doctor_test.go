package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A patient is a root with a repository, both in good order.
type patient struct {
	*testing.T
	dir string
}

func newPatient(t *testing.T) *patient {
	t.Helper()
	p := &patient{t, t.TempDir()}
	p.sh("mkdir -m 700 root")
	p.repository()
	return p
}

// repository creates the repository unless the root has one.
func (p *patient) repository() {
	p.Helper()
	p.sh(`[ ! -e root/repos ] || exit 0
		git init -q --bare root/repos/a.git
		git -C root/repos/a.git config quire.root "$PWD/root"
		quire-trigger --git-dir root/repos/a.git --install-hook`)
}

// command returns a command in the patient's directory, without this machine's user's
// settings.
func (p *patient) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.Context(), name, args...)
	cmd.Dir = p.dir
	cmd.Env = []string{
		"PATH=" + p.dir + "/bin:" + prefix + "/bin:" + os.Getenv("PATH"), "HOME=" + p.dir,
		"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "PREFIX=" + prefix,
	}
	return cmd
}

func (p *patient) sh(script string) {
	p.Helper()
	if out, err := p.command("sh", "-ec", script).CombinedOutput(); err != nil {
		p.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func (p *patient) doctor(before ...string) (code int, out string) {
	p.Helper()
	call := append(before, "quire-runstate", "--root", "root", "doctor")
	call[0] = p.found(call[0])
	cmd := p.command(call[0], call[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if stderr.Len() > 0 {
		p.Errorf("%s: %s", strings.Join(call, " "), &stderr)
	}
	return cmd.ProcessState.ExitCode(), stdout.String()
}

// found returns the path of a program. The test's commands come first.
func (p *patient) found(name string) string {
	if path := filepath.Join(prefix, "bin", name); strings.HasPrefix(name, "quire-") {
		return path
	}
	return name
}

// Each problem is reported in one line and disappears after the repair in that line: the
// test runs the commands, or for a comment an equivalent script.
func TestDoctor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, ill, want, mended string }{
		{"no root", "rm -r root", "does not exist", ""},
		{"a root that is a file", "rm -r root; touch root", "is not a directory", "rm root; mkdir root"},
		{"a root for all", "chmod 777 root", "is writable by other users", ""},
		{"a root that cannot be written", "chmod 500 root", "mode 0500", ""},
		{"parts that cannot", "mkdir -p root/runs/a.git; chmod 500 root/runs/a.git", "mode 0500", ""},
		{"a missing hook", "rm root/repos/a.git/hooks/post-receive", "it does not exist", ""},
		{"an open gate", `echo 'gate = ["refs/heads/main"]' >root/config.toml`, "the gate of 'a.git' is open, quire's hook is not run: it does not exist", ""},
		{"a gate for nothing", "quire-trigger --root root --git-dir root/repos/a.git --install-hook --gate", "refuses nothing: the configuration has no gate for 'a.git'",
			"quire-trigger --root root --git-dir root/repos/a.git --uninstall-hook --gate"},
		{"a gated ref that the owner moved", `echo 'gate = ["refs/heads/*"]' >root/config.toml; quire-trigger --root root --git-dir root/repos/a.git --install-hook --gate
			quire-runstate --root root prune
			git -C root/repos/a.git update-ref refs/heads/m $(git -C root/repos/a.git -c user.name=a -c user.email=a@b commit-tree -m x $(git -C root/repos/a.git mktree </dev/null))`,
			"the gated ref 'refs/heads/m' is at commit", "git -C root/repos/a.git update-ref -d refs/heads/m"},
		{"another hook", "echo '#!/bin/sh' >root/repos/a.git/hooks/post-receive", "it is not quire's", ""},
		{"a hook that is off", "chmod -x root/repos/a.git/hooks/post-receive", "is not executable", ""},
		{"a hook of a quire that has gone", "sed -i s,^hook=.*,hook=/gone, root/repos/a.git/hooks/post-receive", "'/gone' does not exist", ""},
		{"a link to a quire that has gone", "ln -sf /gone/share/quire/hooks/post-receive root/repos/a.git/hooks/", "does not exist", ""},
		{"no push options", "git -C root/repos/a.git config receive.advertisePushOptions false", "push options are refused", ""},
		{"options that make no sense", "git -C root/repos/a.git config receive.advertisePushOptions what", "bad boolean",
			"git -C root/repos/a.git config receive.advertisePushOptions true"},
		{"another root", "git -C root/repos/a.git config quire.root /elsewhere", "go to the root '/elsewhere'", ""},
		{"a name with all in it", `mv root/repos/a.git "root/repos/it's \"a\"
			b"; rm root/repos/it*/hooks/post-receive`, "it does not exist", ""},
		{"two configurations", "touch root/config.toml root/config.fnl", "both exist", "rm root/config.fnl"},
		{"a configuration with an error", `echo 'jobs = "two"' >root/config.toml`, "config.toml:1:8\tjobs must be", "rm root/config.toml"},
		{"a deprecated form", `echo 'eval-memory = 64' >root/config.toml`, "config.toml:1:15\teval-memory without a unit is deprecated: write \"64MiB\"", "rm root/config.toml"},
		{"a secret for all", `printf '[secrets]\na = "a secret value"\n' >root/config.toml; chmod 644 root/config.toml`, "secret 'a' is readable by other users", ""},
		{"a file of a secret for all", `echo value >s; chmod 644 s; printf '[secrets]\na = { file = "../s" }\n' >root/config.toml`, "is readable by other users", ""},
		{"a secret that is not there", `printf '[secrets]\na = { file = "../s" }\n' >root/config.toml`, "no such file", "umask 77; echo value >s"},
		{"a secret that is a pipe", `mkfifo s; printf '[secrets]\na = { file = "../s" }\n' >root/config.toml`, "not in a regular file", "rm s; umask 77; echo value >s"},
		{"a launcher that is not there", `printf 'executor = "quire-ci"\nlauncher = ["none"]\n' >root/config.toml`, "cannot be started", "rm root/config.toml"},
		{"a launcher that nothing starts", `printf 'launcher = ["nice"]\n' >root/config.toml`, "the executor is 'host'",
			`printf 'executor = "quire-ci"\nlauncher = ["nice"]\n' >root/config.toml`},
		{"a launcher that fails", `printf 'executor = "quire-ci"\nlauncher = ["nice", "--none"]\n' >root/config.toml`, "the launcher does not work", "rm root/config.toml"},
		{"a command of another version", `mkdir bin; printf '#!/bin/sh\necho quire-ci 0.0\n' >bin/quire-ci; chmod +x bin/quire-ci`, "is 'quire-ci 0.0'", "rm -r bin"},
		{"another dispatch", "mkdir bin; sed s/0.2.0/0.0.9/ $PREFIX/bin/quire-dispatch >bin/quire-dispatch; chmod +x bin/quire-dispatch", "is 'quire-dispatch 0.0.9', but this is", "rm -r bin"},
		{"an old git", `mkdir bin; printf '#!/bin/sh\ncase $* in version) echo git version 2.33.9; esac; exec %s "$@"\n' "$(command -v git)" >bin/git; chmod +x bin/git`, "is version '2.33.9", "rm -r bin"},
		{"a program for ends that is off", "mkdir root/on-end.d; touch root/on-end.d/mail", "it is not executable", ""},
		{"a program for starts that is off", "mkdir root/on-start.d; touch root/on-start.d/status", "is not run when runs start: it is not executable", ""},
		{"one that leads nowhere", "mkdir root/on-end.d; ln -s /gone root/on-end.d/mail", "no such file", ""},
		{"one that failed", `mkdir root/on-end.d; printf '#!/bin/sh\nexit 3\n' >root/on-end.d/tell; chmod +x root/on-end.d/tell
			quire-runstate --root root transition $(quire-runstate --root root create --repo a --git-dir /a --ref r --sha s | cut -f1) complete
			quire-runstate --root root notify`, "failed when it was last run: exit 3", "sleep 0.01; printf '#!/bin/sh\n' >root/on-end.d/tell"},
		{"mail without an address", `mkdir bin root/on-end.d; touch bin/sendmail; chmod +x bin/sendmail
			ln -s "$PREFIX"/share/quire/on-end.d/mail root/on-end.d`, "no repository has the Git setting quire.mailTo", "git config --global quire.mailTo dev@example.org"},
		{"one for all to write", "mkdir root/on-end.d; printf '#!/bin/sh\n' >root/on-end.d/mail; chmod 777 root/on-end.d/mail", "is writable by other users", ""},
		{"a doctor that was killed", "mkdir root/doctor-1; touch -d '2 hours ago' root/doctor-1", "left over from a killed doctor", ""},
		{"an orphan", "quire-runstate --root root transition $(quire-runstate --root root create --repo a --git-dir /a --ref r --sha s | cut -f1) active",
			"is active, but has no driver", ""},
		{"a torn record", "quire-runstate --root root create --repo a --git-dir /a --ref r --sha s; echo torn >>root/journal", "journal", ""},
		{"a clock that is late", "quire-runstate --root root create --repo a --git-dir /a --ref r --sha s; sed -i s/^2/3/ root/runs/a/*/history",
			"dated in the future", "sed -i s/^3/2/ root/runs/a/*/history"},
		{"a root of another", "chown nobody root", "belongs to user 'nobody'", "chown root root"},
		{"a part of another", "mkdir root/live; chown nobody root/live", "belongs to user 'nobody'", "chown root root/live"},
		{"a note of another", "chown nobody root/repos/a.git/quire/lock", "belongs to user 'nobody'", "chown root root/repos/a.git/quire/lock"},
		{"a group", "git -C root/repos/a.git config core.sharedRepository group", "is shared with a group", "git -C root/repos/a.git config --unset core.sharedRepository"},
		{"a group of another", "git -C root/repos/a.git config core.sharedRepository group; chown nobody root/repos/a.git", "is shared with a group",
			"chown root root/repos/a.git; git -C root/repos/a.git config --unset core.sharedRepository"},
		{"no repository", "mv root/repos/a.git .", "has no repository", "mv a.git root/repos"},
		{"a link that leads nowhere", "ln -s /gone.git root/repos/b.git", "no such file or directory", "rm root/repos/b.git"},
		{"a table for no repository", `printf '[repo."a.git"]\n[repo."b*"]\njobs = 2\n' >root/config.toml`, "config.toml:2:7\tno repository matches 'b*'", "rm root/config.toml"},
		{"global hooks", "mkdir hooks; git config --global core.hooksPath $PWD/hooks", "it does not exist", ""},
		{"global hooks with others", "mkdir hooks; touch hooks/pre-receive; git config --global core.hooksPath $PWD/hooks", "it does not exist", ""},
		{"global hooks with one", "mkdir hooks; touch hooks/post-receive; git config --global core.hooksPath $PWD/hooks", "it is not quire's", "git config --global --unset core.hooksPath"},
		{"no reconcile since", "quire-runstate --root root create --repo a --git-dir /a --ref r --sha s; touch -d '2 hours ago' root/reconciled",
			"has not run for an hour", "quire-runstate --root root reconcile"},
		{"a name that another has", `git init -q --bare team/a.git; git -C team/a.git config quire.root "$PWD/root"
			ln -sf $PREFIX/share/quire/hooks/post-receive team/a.git/hooks/; git -C team/a.git config receive.advertisePushOptions true
			quire-runstate --root root create --repo a --git-dir "$PWD/team/a.git" --ref r --sha s`, "shares the name 'a.git'", ""},
		{"a repository of another", "chown nobody root/repos/a.git", "belongs to user 'nobody'", "chown root root/repos/a.git"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if strings.Contains(test.ill, "chown") {
				needsRoot(t)
			}
			t.Parallel()
			p := newPatient(t)
			p.sh(test.ill)
			code, out := p.doctor()
			if code != 1 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "wrong\t") || !strings.Contains(out, test.want) {
				t.Fatalf("exit %d, %s, want %q", code, out, test.want)
			}
			mend := strings.Split(strings.TrimSuffix(out, "\n"), "\t")[3]
			if strings.HasPrefix(mend, "#") != (test.mended != "") {
				t.Errorf("it is mended by: %s", mend)
			}
			p.sh(mend + "\n" + test.mended)
			p.repository() // unless the root's removal removed it
			if code, out := p.doctor(); code != 0 || out != "" {
				t.Errorf("%s: exit %d, %s", mend, code, out)
			}
		})
	}
}

// An unsuitable file system is reported, and the test leaves no file.
func TestDoctorTriesTheFileSystem(t *testing.T) {
	t.Parallel()
	needs(t, "strace")
	for fault, want := range map[string]string{
		"fsync:error=EIO":                "input/output error",
		"fcntl:error=ENOLCK:when=7+":     "no locks available",
		"fcntl:retval=0:when=5+":         "did not exclude another one",
		"symlinkat:error=EPERM":          "operation not permitted",
		"renameat:error=EXDEV":           "invalid cross-device link",
		"inotify_add_watch:error=EACCES": "permission denied",
		"mkdirat:error=EROFS":            "read-only file system",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			code, out := p.doctor("strace", "-f", "-o", "/dev/null", "-e", "inject="+fault)
			if code != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, want) {
				t.Errorf("exit %d, %s, want %q", code, out, want)
			}
			if left, err := filepath.Glob(filepath.Join(p.dir, "root/doctor*")); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

// The doctor finds nothing in a root in good order, changes nothing, and lists its checks.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	if code, out := p.doctor(); code != 0 || out != "" {
		t.Errorf("exit %d, %s", code, out)
	}
	state := func() string {
		out, err := p.command("sh", "-c", "find root -printf '%p %M %u %T@ %l\\n' | grep -v '^root d' | sort; find root -type f | sort | xargs cat").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	before := state()
	cmd := p.command(p.found("quire-runstate"), "doctor", "--root", "root", "-v", "root/repos/a.git")
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "ok\tgit\n") || !strings.Contains(string(out), "hooks/post-receive\n") {
		t.Errorf("%v, %s", err, out)
	}
	if after := state(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
