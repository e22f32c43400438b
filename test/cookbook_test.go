package test

import (
	"strings"
	"testing"
)

// A dish is the test's addition to a recipe of quire-cookbook(7): the reader's own files
// and programs, and the checks. Both are shell scripts in the working copy; programs of
// jobs are in ../bin.
type dish struct {
	files   string
	check   string // runs after the push and the commands of the recipe
	service string // a program of a service that the recipe needs, "" for none
}

// stateOf defines functions for checks: "is JOB STATE [REF]".
const stateOf = `state() { quire-runstate show foo.git@${2-main} | sed -n "s/^job	$1 \([a-z]*\).*/\1/p"; }
	is() { [ "$(state "$1" $3)" = "$2" ] || { echo "job $1 is $(state "$1" $3), not $2"; quire-runstate log foo.git@${3-main}; exit 1; }; }
`

var cookbook = map[string]dish{
	"A cache for Go": {
		`printf '#!/bin/sh\necho "$*" >>"$GOCACHE-$1"; echo x >"$GOMODCACHE"\n' >../bin/go`,
		`is test complete; cat ../var/quire/cache/*/*/build-test ../var/quire/cache/*/build-test 2>/dev/null | grep -q ./...`, ""},
	"A cache for Node.js": {
		`printf '#!/bin/sh\n[ "$1" = test ] || { test "$1 $2" = "ci --cache" && mkdir -p "$3"; }\n' >../bin/npm`,
		`is test complete; find ../var/quire/cache -name npm -type d | grep -q .`, ""},
	"A build matrix": {
		`printf 'check:\n\t@echo $(CC) $(STD)\n' >Makefile`,
		`for job in gcc-c99 gcc-c11 clang-c99 clang-c11 report; do is $job complete; done
		quire-runstate log foo.git@main clang-c11 | grep -qx 'clang c11'`, ""},
	"A service beside the tests": {
		`printf 'check:\n\tpsql -Atc "select 40 + 2"\n' >Makefile`,
		`is test complete; quire-runstate log foo.git@main test | grep -qx 42`, "/usr/lib/postgresql/15/bin/initdb"},
	"Deploy on a tag, with an SSH key": {
		`ssh-keygen -q -t ed25519 -N '' -f ../run/secrets/deploy
		printf 'all:\n\techo app >app\n' >Makefile
		printf '#!/bin/sh\nssh-add -l | grep -q ED25519 && echo "$2" && cat "$1" >"${0%%/*}/deployed"\n' >../bin/scp`,
		`is deploy skipped; test ! -e ../bin/deployed; git tag v9; git push -q -o ci.wait origin v9 >/dev/null 2>&1
		is deploy complete v9; grep -qx app ../bin/deployed
		quire-runstate log foo.git@v9 deploy | grep -qx deploy@www.example.org:.*/srv/app`, ""},
	"A nightly run": {
		`printf 'check:\n\techo slow=$(SLOW)\n' >Makefile`,
		`is slow complete; quire-runstate log foo.git@main slow | grep -qx slow=1
		git commit -q --allow-empty -m Again; git push -q -o ci.wait origin main 2>/dev/null; is slow skipped; is test complete`, ""},
	"A monorepo": {
		`mkdir api web lib; for d in api web; do printf 'check:\n\techo %s\n' $d >$d/Makefile; done`,
		`echo x >web/x; git add .; git commit -qm Web; git push -q -o ci.wait origin main 2>/dev/null; is api skipped; is web complete
		echo x >lib/x; git add .; git commit -qm Lib; git push -q -o ci.wait origin main 2>/dev/null; is api complete; is web complete`, ""},
	"One deployment at a time": {
		`printf '#!/bin/sh\necho deployed; ! flock -n %s/foo-deploy.lock true\n' "$(cd ../tmp && pwd)" >deploy; chmod +x deploy`,
		`is deploy complete`, ""},
	"Approval by hand": {
		`printf 'check:\n\techo ok\n' >Makefile; printf '#!/bin/sh\necho deployed\n' >deploy; chmod +x deploy`,
		`is deploy complete; quire-runstate list --repo foo.git --limit 2 | cut -f 1 | tail -n 1 >../tmp/pushed
		quire-runstate show "$(cat ../tmp/pushed)" | grep -q '^job	deploy skipped'`, ""},
	"A message in a chat": {
		`mkdir .quire; echo '(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "exit 1")))' >.quire/ci.fnl
		printf '#!/bin/sh\ncat >"${0%%/*}/sent"\n' >../bin/curl`,
		`grep -q '"text": "foo.git refs/heads/main: failed "' ../bin/sent`, ""},
	"Which commit broke it": {
		`mkdir .quire; echo '(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "test ! -e bad")))' >.quire/ci.fnl
		git add .; git commit -qm good; git tag -f v1
		printf '#!/bin/sh\n[ "$1" != run ] || [ ! -e full ] || { echo 111; exit 111; }\nPATH=${PATH#*:} exec quire-ci "$@"\n' >../bin/quire-ci
		git mv .quire gone; git commit -qm gone; git mv gone .quire; touch full; git add .; git commit -qm full
		git rm -q full; git commit -qm good2; touch bad; git add .; git commit -qm broke`,
		`grep -qx 111 ../tmp/out; tail -n 3 ../tmp/out | grep -q 'HEAD position was .* broke$'`, ""},
}

// TestCookbook follows each recipe of quire-cookbook(7), in order, and checks the result.
func TestCookbook(t *testing.T) {
	t.Parallel()
	needs(t, "jq")
	sections := strings.Split(read(t, "../man/quire-cookbook.7"), "\n.Ss ")[1:]
	for _, section := range sections {
		title, body, _ := strings.Cut(section, "\n")
		t.Run(title, func(t *testing.T) {
			d, known := cookbook[title]
			if !known {
				t.Fatal("has no test")
			}
			if d.service != "" {
				slow(t)
				needs(t, d.service)
			}
			cook(t, d, pageExamples("quire-cookbook.7", ".Sh EXAMPLES\n"+body))
		})
	}
	if len(sections) != len(cookbook) {
		t.Errorf("%d recipes, %d tests", len(sections), len(cookbook))
	}
}

func cook(t *testing.T, d dish, examples []example) {
	w := newWorld(t, "quire-cookbook.7")
	w.env[0] = strings.Replace(w.env[0], "PATH=", "PATH="+w.dir+"/bin:", 1)
	config := "executor = \"quire-ci\"\n"
	if d.service != "" { // the service refuses to run as root
		config += "launcher = ['unshare', '--user', '--map-user=1000', '--map-group=1000']\n"
	}
	commands := ""
	w.sh(t, "foo", "set -e; mkdir ../bin; git checkout -q -b fresh; git rm -rqf .; git branch -qD main; git branch -qm main; git commit -qm Empty\n"+d.files)
	for _, e := range examples {
		text := w.places.Replace(e.text)
		switch {
		case strings.HasPrefix(text, "(local ci"):
			w.write(t, "foo/.quire/ci.fnl", text)
		case strings.HasPrefix(text, "#!"):
			w.write(t, "var/quire/on-end.d/recipe", text)
		case configLine.MatchString(text):
			config += text
		default:
			commands += strings.ReplaceAll("\n"+cronLine.ReplaceAllString(text, ""), "\n$ ", "\n")
		}
	}
	w.write(t, "var/quire/config.toml", config+"[env]\nPATH = '"+w.dir+"/bin:/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin'\n")
	w.sh(t, "foo", `chmod 755 ../bin/* ../var/quire/on-end.d/recipe 2>/dev/null; chmod -R go-rwx ../run/secrets
		git add -A && git commit -q --allow-empty -m Recipe && git push -qf -o ci.wait origin main 2>&1`)
	w.sh(t, "foo", "set -e\n{ :"+commands+"\n} >../tmp/out 2>&1 || { cat ../tmp/out; exit 1; }")
	w.sh(t, "", `quire-runstate reconcile | quire-dispatch -w 2>/dev/null
		for id in $(quire-runstate list --state pending,active | cut -f 1); do quire-runstate wait $id || :; done
		quire-runstate notify`)
	w.sh(t, "foo", "set -e\n"+stateOf+d.check)
}
