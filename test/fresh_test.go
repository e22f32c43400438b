package test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// freshSystem makes a Debian system in the directory $root, in memory, and follows the
// README there as two ordinary users with a real cron. ann installs quire in her home, and bob
// with sudo. The script runs as root in namespaces of its own, so that all that it mounts and
// starts ends with it.
const freshSystem = `set -eu
mount -t tmpfs -o mode=755 tmpfs "$root"
debootstrap --variant=minbase --include=ca-certificates,cron,git,make,sudo bookworm "$root" $mirror >"$root.log" 2>&1 || {
	grep -h '^E: ' "$root.log"
	! grep -q "^E: Failed getting release file\|^E: Couldn't download" "$root.log" || exit 77
	exit 1
}
cd "$root"
mount -t proc proc proc
mount --rbind /dev dev
mkdir usr/local/go modules
mount --bind "$goroot" usr/local/go
mount --bind "$modules" modules
cat >usr/sbin/sendmail <<'END'
#!/bin/sh
exec cat >>"$HOME/mailbox"
END
chmod 755 usr/sbin/sendmail
chroot . cron
for user in ann bob; do
	chroot . useradd -m -s /bin/bash $user
	mkdir -p home/$user/source home/$user/.cache/go-build upper-$user work-$user
	mount -t overlay -o "lowerdir=$cache,upperdir=upper-$user,workdir=work-$user" overlay home/$user/.cache/go-build
	git -C "$source" ls-files -z | tar -C "$source" --null --no-recursion -T - -cf - | tar -xf - -C home/$user/source
	cp "$blocks/follow" home/$user
	cp -R "$blocks/$user" home/$user/blocks
	chroot . sh -c "chown -R $user: /home/$user/source /home/$user/blocks /home/$user/follow; chown $user: /home/$user/.cache /home/$user/.cache/go-build /home/$user/.cache/go-build/*"
done
echo 'bob ALL=(ALL) NOPASSWD: ALL' >etc/sudoers.d/bob
for user in ann bob; do
	chroot . su - $user -c "bash ./follow"
done
# cron starts reconcile in the next minute
for reconciled in home/ann/quire/reconciled var/quire/reconciled; do
	tries=700
	until [ -e "$reconciled" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { echo "cron has not made $reconciled"; exit 1; }
		sleep 0.1
	done
done
grep -h '^Subject: ' home/ann/mailbox home/bob/mailbox
`

// followBlocks follows the blocks of the README, as an ordinary user.
const followBlocks = `set -eu
export PATH="$PATH:/usr/local/go/bin" GOPROXY=file:///modules GOSUMDB=off
git config --global user.name "$(id -un)"
git config --global user.email "$(id -un)@localhost"
cd source
for block in ~/blocks/*; do
	[ "${block##*/}" != 02 ] || { mkdir ~/elsewhere; cd ~/elsewhere; }
	. "$block"
done
rm -f "$root/reconciled"
quire-runstate doctor
`

// TestFreshDebian follows the README from nothing to a mail on a Debian that has only what
// the README asks for: without root, and system-wide.
func TestFreshDebian(t *testing.T) {
	slow(t)
	needsRoot(t)
	needs(t, "debootstrap", "unshare")
	if problem := mountProblem(); problem != "" {
		t.Skip(problem)
	}
	t.Parallel()
	_, walk, _ := strings.Cut(read(t, "../README.md"), "\n## From nothing to a mail\n")
	walk, _, _ = strings.Cut(walk, "\n## ")
	blocks := filepath.Join(t.TempDir(), "blocks")
	w := &world{dir: blocks}
	w.write(t, "follow", followBlocks)
	for i, user := range []string{"ann", "bob"} {
		list := readmeExamples(walk)
		list = append(list[i:i+1:i+1], list[2:]...) // the first two are the two ways to install
		for n, e := range list {
			w.write(t, filepath.Join(user, fmt.Sprintf("%02d", n)), exitsOne.ReplaceAllString(e.text, "if $1; then false; else [ $$? = 1 ]; fi"))
		}
	}
	script := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", freshSystem)
	source, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := goEnv()
	if err != nil {
		t.Fatal(err)
	}
	script.Env = append(script.Environ(), "root="+t.TempDir(), "mirror="+mirror(), "blocks="+blocks, "source="+source,
		"goroot="+settings["GOROOT"], "modules="+settings["GOMODCACHE"]+"/cache/download", "cache="+settings["GOCACHE"])
	var out bytes.Buffer
	script.Stdout, script.Stderr = &out, &out
	err = script.Run()
	if script.ProcessState.ExitCode() == 77 {
		t.Skipf("debootstrap cannot fetch packages: %s", bytes.TrimSpace(out.Bytes()))
	}
	for _, subject := range []string{"failed", "complete again"} {
		if n := strings.Count(out.String(), subject); err == nil && n < 2 {
			t.Errorf("%d mails say %q", n, subject)
		}
	}
	if err != nil || t.Failed() {
		t.Errorf("%v\n%s", err, out.Bytes())
	}
}

// mirror returns the address that apt uses for Debian's packages, "" for debootstrap's
// default.
func mirror() string {
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm", "Label: Debian").Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
