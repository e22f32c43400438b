# quire: make [all|check|lint|bench|crash|demo|install|uninstall|clean]
PREFIX = /usr/local
DESTDIR =
GO = go
COMMANDS = $(notdir $(wildcard cmd/*))
PROGRAMS = launchers on-end.d
SCRIPTS = hooks/post-receive hooks/quire-dispatch test/demo test/testdata/0.1.0/make.sh .ci/run lib/hook/post-receive.sh $(PROGRAMS:%=contrib/%/*)
D = $(DESTDIR)$(PREFIX)
# where the shells look for the completion of a command, by its name
BASH = $(D)/share/bash-completion/completions
ZSH = $(D)/share/zsh/site-functions
FISH = $(D)/share/fish/vendor_completions.d
# the tools of lint and check that are not installed; check reports them at last
ABSENT = $(strip $(foreach tool,staticcheck shellcheck mandoc cc,$(if $(shell command -v $(tool)),,$(tool))))
with = $(if $(filter $(1),$(ABSENT)),:,echo $(1); $(1) $(2))
# put PROGRAM: rename PROGRAM.new to PROGRAM: a push or a run may start it at any moment
put = chmod 755 $(1).new && mv -f $(1).new $(1)

all:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/... # static: they go into images

# SLOW=1 also runs tests that start services or add users, and has the race detector watch
# the packages whose tests run the code in their own process (./test runs the programs).
# Fennel is compared with the reference compiler if FENNEL_REFERENCE names its fennel.lua.
check: lint
	$(GO) run ./test/summary -absent '$(ABSENT)' $(if $(FENNEL_REFERENCE),,-skip 'Differential|ConformanceReference') \
		-timeout 30m $(if $(SLOW),$(if $(filter cc,$(ABSENT)),,-race)) ./lib/... ./cmd/... -- -timeout 30m -parallel 4 ./test/...

lint:
	@test -z "$$(gofmt -l cmd lib test)" || { gofmt -d cmd lib test; exit 1; }
	$(GO) vet ./...
	@$(call with,staticcheck,./...)
	@$(call with,shellcheck,$(SCRIPTS))
	@$(call with,mandoc,-Tlint -Wwarning man/*)

bench:
	$(GO) test -run "^$$" -bench "^BenchmarkTable$$" -benchtime 1x -timeout 4h ./test # ROWS=REGEX: some of the rows

crash:
	CRASH=full $(GO) test -timeout 60m -run CrashPoints ./cmd/quire-runstate
	RACES=full $(GO) test -run EverythingAtOnce ./lib/runstore ./cmd/quire-runstate

demo: all
	./test/demo

install: all
	install -d $(D)/bin $(D)/share/quire/hooks $(BASH) $(ZSH) $(FISH)
	for name in $(COMMANDS); do install bin/$$name $(D)/bin/$$name.new && $(call put,$(D)/bin/$$name) || exit 1; done
	sed 's|/usr/local|$(PREFIX)|' hooks/quire-dispatch >$(D)/bin/quire-dispatch.new && $(call put,$(D)/bin/quire-dispatch)
	sed 's|/usr/local|$(PREFIX)|' hooks/post-receive >$(D)/share/quire/hooks/post-receive.new && $(call put,$(D)/share/quire/hooks/post-receive)
	for dir in $(PROGRAMS); do install -d $(D)/share/quire/$$dir && install -m 755 contrib/$$dir/* $(D)/share/quire/$$dir || exit 1; done
	for page in man/*; do install -D -m 644 $$page $(D)/share/man/man$${page##*.}/$${page#man/} || exit 1; done
	install -m 644 contrib/completion/_quire $(ZSH)
	for name in $(COMMANDS) quire-dispatch; do \
		install -m 644 contrib/completion/quire.bash $(BASH)/$$name && install -m 644 contrib/completion/quire.fish $(FISH)/$$name.fish || exit 1; done

uninstall:
	for name in $(COMMANDS) quire-dispatch; do rm -f $(D)/bin/$$name $(BASH)/$$name $(FISH)/$$name.fish || exit 1; done
	rm -rf $(D)/share/quire $(ZSH)/_quire
	for page in man/*; do rm -f $(D)/share/man/man$${page##*.}/$${page#man/} || exit 1; done

clean:
	rm -rf bin

.PHONY: all check lint bench crash demo install uninstall clean
