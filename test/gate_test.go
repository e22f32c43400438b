package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Many clones push to one gated branch at once. Each rebases and tries again until its push is
// accepted. Half of them push a commit that fails first, and repair it by another one.
func TestManyPushesToAGate(t *testing.T) {
	t.Parallel()
	clones := "1 2 3 4 5 6"
	if os.Getenv("SLOW") != "" {
		clones += " 7 8 9 10 11 12 13 14 15 16 17 18 19 20"
	}
	p := killable{t.TempDir()}
	for name, text := range map[string]string{
		"ci.fnl": `(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "! grep -r bad files")))`,
		"clone": `set -e
git clone -q a.git $1
cd $1
if [ $(($1 % 2)) = 0 ]; then
	echo bad >files/$1
	git add -A && git commit -qm "bad $1"
	! git push -q origin main 2>/dev/null
fi
echo good >files/$1
git add -A && git commit -qm "good $1"
until git push -q origin main 2>>../log.$1; do git pull -q --rebase; done
git rev-parse HEAD`,
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.sh(t, `mkdir root; echo 'gate = ["refs/heads/main"]' >root/config.toml
		git config -f gitconfig user.name a; git config -f gitconfig user.email a@b; export GIT_CONFIG_GLOBAL=$PWD/gitconfig
		git init -q --bare -b main a.git; git init -q -b main first; cd first; mkdir .quire files; cp ../ci.fnl .quire; touch files/0
		git add -A; git commit -qm first; cd ..; quire-trigger --install-hook --gate --git-dir a.git; git -C first push -q ../a.git main 2>/dev/null`)
	heads := p.sh(t, `export GIT_CONFIG_GLOBAL=$PWD/gitconfig
		for n in `+clones+`; do sh clone $n >head.$n & done; wait; cat head.*`)
	if got := len(strings.Fields(heads)); got != len(strings.Fields(clones)) {
		t.Fatalf("%d pushes were accepted", got)
	}
	complete := p.sh(t, "quire-runstate list --ref main --state complete | cut -f5")
	history := p.sh(t, "git -C a.git rev-list main")
	for head := range strings.FieldsSeq(heads) {
		if !strings.Contains(complete, head) {
			t.Errorf("the pushed head %s has no complete run", head)
		}
		if !strings.Contains(history, head) {
			t.Errorf("the pushed head %s is not in the branch", head)
		}
	}
	failed := p.sh(t, "quire-runstate list --ref main --state failed | cut -f5; quire-runstate list --state live >live; test ! -s live")
	for sha := range strings.FieldsSeq(failed) {
		if strings.Contains(heads, sha) {
			t.Errorf("a failed commit %s was a head", sha)
		}
	}
	if len(strings.Fields(failed)) < len(strings.Fields(clones))/2 {
		t.Errorf("only these failed: %q", failed)
	}
	p.sh(t, "! git -C a.git grep -q bad main -- files")
}
