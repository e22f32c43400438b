#!/bin/sh
# make.sh SOURCE: make root.tar.gz beside this script. SOURCE is a checkout of quire 0.1.0;
# its programs are built and make everything below $top. That path is in run.toml, links,
# hooks and configurations: the test replaces it by its own directory.
#
#   prefix/  where quire is installed; not in the archive
#   home/    of the user who pushes and drives
#   root/    the root, with the repositories app.git and lib/tool.git
#   srv/     a repository outside the root, far.git
#   work/    working copies
#   boot     the boot id of the machine, which is in the kept workspaces
#   names    NAME=ID, a line for each run
#   said/    the output of 0.1.0: SUBCOMMAND or SUBCOMMAND-NAME
# shellcheck disable=SC2016,SC1003 # for shells of runs; a backslash
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$1" && pwd)
top=/tmp/quire-0.1.0
rm -rf "$top" && mkdir "$top" && cd "$top"
make -s -C "$source" install PREFIX="$top/prefix"

umask 022
export PATH="$top/prefix/bin:$PATH" HOME="$top/home" LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 \
	QUIRE_ROOT="$top/root" QUIRE_PUSHER=ann REGION=north GIT_TEMPLATE_DIR=
cp /proc/sys/kernel/random/boot_id boot
mkdir -p home root/secrets root/on-end.d srv work said
git config --global user.name Ann
git config --global user.email ann@example.org
git config --global init.defaultBranch main
printf 'a secret of 0.1.0\n' >root/secrets/token
chmod 700 root root/secrets && chmod 600 root/secrets/token

# configure LINE...: the configuration, with LINEs for far.git
configure() {
	cat >root/config.toml <<'END'
executor = "quire-ci"
max-runs = 4
jobs = 2
eval-memory = 128
eval-time = "10s"
timeout = "5m"
grace = "1s"
supersede = "pending"
workspaces = 2
keep-workspace = "failed"
with-git = true
env = ["REGION"]
keep.runs = 6
secrets.token = { file = "secrets/token" }

[repo."lib/*"]
executor = "host"
workspaces = 0
with-git = false
max-runs = 1

[repo."far.git"]
workspaces = 0
END
	printf '%s\n' "$@" >>root/config.toml
}
launched='launcher = ["sh", "-c", "echo \"in image $QUIRE_IMAGE\"; exec env LAUNCHED=yes \"$@\"", "launcher"]
env = ["REGION", "LAUNCHED"]'
configure "$launched"

# The program for ends writes each end to a file. If the file deaf exists, it kills the
# process that started it and exits.
cat >root/on-end.d/tell <<'END'
#!/bin/sh
[ ! -e "$QUIRE_ROOT/deaf" ] || { kill -KILL "$PPID"; exit; }
echo "$QUIRE_RUN" >>"$QUIRE_ROOT/told"
END
chmod 755 root/on-end.d/tell

# The repositories: one whose own hook is chained, one with a plain installed hook, and
# one with a link made by hand.
git init -q --bare root/repos/app.git
mkdir -p root/repos/app.git/hooks
printf '#!/bin/sh\ncat >>chained.log\n' >root/repos/app.git/hooks/post-receive
chmod 755 root/repos/app.git/hooks/post-receive
git init -q --bare root/repos/lib/tool.git
git init -q --bare srv/far.git
for repo in root/repos/app.git root/repos/lib/tool.git; do
	quire-trigger --install-hook --git-dir "$repo"
done
mkdir -p srv/far.git/hooks
ln -s "$top/prefix/share/quire/hooks/post-receive" srv/far.git/hooks/
for repo in root/repos/app.git root/repos/lib/tool.git srv/far.git; do
	git -C "$repo" config receive.advertisePushOptions true
	git -C "$repo" config quire.root "$top/root"
	name=$(basename "$repo" .git)
	git init -q "work/$name"
	git -C "work/$name" remote add origin "$top/$repo"
done

# The pipeline; the file check of a commit decides how its run ends.
mkdir work/app/.quire
cat >work/app/.quire/ci.fnl <<'END'
(local ci (require :quire.ci))
(ci.job :build [:quire/push]
  (fn [{: sh : secret : jobs}]
    (sh "echo \"built in $REGION${LAUNCHED:+, launched $LAUNCHED} with $TOKEN\"; echo warned >&2; echo built >built"
        {:env {:TOKEN (secret :token)}})
    {:ref (. (jobs :quire/push) :ref)}))
(ci.job :test [:build]
  (fn [{: sh : jobs}]
    (sh [:sh :check (. (jobs :build) :ref)])))
END
printf 'built\n' >work/app/.gitignore
echo 'echo "checked $1"' >work/app/check
for name in tool far; do cp -r work/app/.quire work/app/.gitignore work/app/check "work/$name"; done
echo '(ci.image "debian:12")' >>work/far/.quire/ci.fnl

# save NAME MESSAGE: commit all of the working copy NAME
save() { git -C "work/$1" add -A && git -C "work/$1" commit -qm "$2"; }
# push NAME ARG...
push() { name=$1; shift; git -C "work/$name" push -q "$@" 2>>pushed || { cat pushed; exit 1; }; }
# name NAME: of the newest run
name() { echo "$1=$(quire-runstate list --limit 1 | cut -f 1)" >>names; }
id() { sed -n "s/^$1=//p" names; }

for repo in app tool far; do
	save $repo 'First'
	push $repo -o ci.wait origin main
	name "${repo}_complete"
done

git -C work/app tag -a v1 -m 'Version 1'
push app -o ci.wait origin v1
name tag

# failed runs, for each reason
echo 'echo "not mended: $1"; test -e "$HOME/mended" || exit 3' >work/app/check
cp work/app/check work/tool/check
save app 'Break the check'; push app -o ci.wait origin main || :
name exit
save tool 'Break the check'; push tool -o ci.wait origin main || :
name tool_exit # its workspace stays

# made REF: a pending run of main of app
made() { quire-runstate create --repo app.git --git-dir "$top/root/repos/app.git" --pusher bob --ref "$1" \
	--sha "${2:-$(git -C work/app rev-parse main)}" >line; }
made refs/heads/signal; name signal
quire-runstate exec "$(id signal)" -- sh -c 'echo dying; kill -KILL $$' || :
made refs/heads/timeout; name timeout
quire-runstate exec --timeout 200ms "$(id timeout)" -- sh -c 'echo sleeping; exec sleep 60' || :
made refs/heads/internal; name internal
quire-runstate exec "$(id internal)" -- sh -c 'echo "no room"; exit 111' || :
made refs/heads/gone 1111111111111111111111111111111111111111; name materialize
quire-dispatch -w <line || :
made "$(printf 'refs/heads/not-utf8-\377')"; name cancelled
quire-runstate cancel --note "$(printf 'a tab:\t, an \303\266, a \\')" "$(id cancelled)"
configure 'launcher = ["sh", "-c", "echo no machine; exit 9"]'
git -C work/far commit -q --allow-empty -m 'No machine'
push far -o ci.wait origin main; name launcher
configure "$launched"

git -C work/app checkout -q -b invalid
printf '(local ci (require :quire.ci))\n(ci.job :a [])\n(ci.job :a/b [:c] #1)\n' >work/app/.quire/ci.fnl
save app 'Break the pipeline'
push app -o ci.wait origin invalid; name invalid
git -C work/app checkout -q main
push app -o ci.skip origin main:skipped; name skipped

# A rerun of the failed jobs, which is complete now, and a second one, still pending.
touch home/mended
quire-trigger --rerun "$(id exit)" --failed >line; name rerun
quire-dispatch -w <line 2>/dev/null
quire-trigger --rerun "$(id exit)" --failed >line; name rerun_pending

# hang NAME: push a commit to the branch NAME whose run is still going on when its driver
# is killed. A run meanwhile takes the other workspace.
hang() {
	git -C work/app checkout -q -b "$1" main
	echo 'echo hanging; echo $$ >"$HOME/hanging"; exec sleep 1000' >work/app/check
	save app "Hang as $1"
	mkfifo home/hanging
	git -C work/app push -q origin "$1" 2>/dev/null &
	read -r job <home/hanging
	wait "$!"
	name "$1"
	made "refs/heads/meanwhile-$1"; name "meanwhile_$1"
	quire-dispatch -w <line 2>/dev/null
	driver=$(pgrep -f "quire-runstate exec $(id "$1") ")
	parent=$(awk '/^PPid/ { print $2 }' "/proc/$job/status")
	kill -KILL "$driver"
	tail --pid="$parent" -f /dev/null # it dies with the driver, and the job with it
	tail --pid="$job" -f /dev/null
	rm home/hanging
	git -C work/app checkout -q main
}
hang orphaned
quire-runstate notify
quire-runstate reconcile >/dev/null 2>&1
quire-runstate notify

# An active run without a driver, with a kept workspace and a torn end of its history; and
# one that was made active by hand.
hang active
printf '2026-11-2' >>"root/runs/app.git/$(id active)/history"
made refs/heads/by-hand; name active_by_hand
quire-runstate transition "$(id active_by_hand)" active

# Pending runs whose dispatch never came, as after a power loss: of a push, one that it
# superseded, one of the executor host, one behind a launcher, one made while the
# configuration was broken.
zero=0000000000000000000000000000000000000000
git -C work/app checkout -q -b next
for name in superseded pending; do
	echo "echo \"checked \$1 as $name\"" >work/app/check
	save app "Check as $name"
	old=$(git -C root/repos/app.git rev-parse -q --verify refs/heads/next || echo $zero)
	git -C root/repos/app.git fetch -q ../../../work/app +next:next
	echo "$old $(git -C work/app rev-parse next) refs/heads/next" |
		quire-trigger --git-dir root/repos/app.git >line 2>>pushed
	name $name
done
git -C root/repos/lib/tool.git branch pending main~1
quire-trigger --git-dir root/repos/lib/tool.git --ref refs/heads/pending >line 2>>pushed
name host_pending
git -C srv/far.git branch pending main
quire-trigger --git-dir srv/far.git --ref refs/heads/pending >line 2>>pushed
name launched_pending
cp root/config.toml kept
echo 'no key' >>root/config.toml
git -C root/repos/app.git branch early main~1
quire-trigger --git-dir root/repos/app.git --ref refs/heads/early >line 2>>pushed || :
name no_executor
mv kept root/config.toml

# An end without its notification: quire-runstate notify is killed each time.
touch root/deaf
git -C work/far commit -q --allow-empty -m 'Not told'
push far -o ci.wait origin main; name untold

# A run whose creation stopped after the first step, and a ref that moved without a hook.
made refs/heads/cut; cut=$(cut -f 1 line)
mv "root/runs/app.git/$cut" root/tmp/
git -C root/repos/app.git update-ref refs/heads/missed main

# The output of the commands that change nothing.
for command in list 'list --json' 'list --state pending,active' 'prune -n' fsck doctor; do
	# shellcheck disable=SC2086 # words
	quire-runstate $command >"said/$(echo "$command" | tr -d ' ')" 2>&1 </dev/null || :
done
while IFS='=' read -r name id; do
	quire-runstate show "$id" >"said/show-$name"
	quire-runstate show --json "$id" >"said/json-$name"
	quire-runstate log "$id" >"said/log-$name"
done <names
for repo in root/repos/app.git root/repos/lib/tool.git srv/far.git; do
	git -C "$repo" -c gc.auto=0 pack-refs --all && git -C "$repo" repack -adq && rm -f "$repo"/*_HEAD
done
rm -rf work line pushed root/deaf
tar --sort=name --owner=0 --group=0 --numeric-owner --exclude=./prefix -cf - . | gzip -9n >"$here/root.tar.gz"
ls -l "$here/root.tar.gz"
