# quire: make [all|check|lint|bench|crash|demo|install|uninstall|clean]
PREFIX = /usr/local
DESTDIR =
GO = go
COMMANDS = quire-trigger quire-materialize quire-ci quire-runstate
PROGRAMS = launchers on-end.d
SCRIPTS = hooks/post-receive hooks/quire-dispatch test/demo .ci/run lib/hook/post-receive.sh $(PROGRAMS:%=contrib/%/*)
D = $(DESTDIR)$(PREFIX)
# where the shells look for the completion of a command, by its name
BASH = $(D)/share/bash-completion/completions
ZSH = $(D)/share/zsh/site-functions
FISH = $(D)/share/fish/vendor_completions.d
# skip TOOL: run what follows where TOOL is installed, say so where it is not
skip = command -v $(1) >/dev/null || { echo "skipped: $(1) is not installed"; exit 0; };
# put PROGRAM: make PROGRAM.new the program, whole at once: a push or a run may be at it.
# dd writes a command in one piece, as a package manager does: what install(1) copies out
# of the linker's hands stays in single pages in the page cache and starts a tenth slower
put = chmod 755 $(1).new && mv -f $(1).new $(1)

all:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/ ./cmd/... # static: they go into images

check: lint
	@command -v $${CC:-cc} >/dev/null || echo "skipped: the race detector needs a C compiler"
	$(GO) test $$(command -v $${CC:-cc} >/dev/null && echo -race) ./...

lint:
	@test -z "$$(gofmt -l cmd lib test)" || { gofmt -d cmd lib test; exit 1; }
	$(GO) vet ./...
	@$(call skip,staticcheck) echo staticcheck ./... && staticcheck ./...
	@$(call skip,shellcheck) echo shellcheck $(SCRIPTS) && shellcheck $(SCRIPTS)
	@$(call skip,mandoc) echo mandoc -Tlint man/* && mandoc -Tlint -Wwarning man/*

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

crash:
	CRASH=full $(GO) test -timeout 60m -run CrashPoints ./cmd/quire-runstate
	RACES=full $(GO) test -run EverythingAtOnce ./lib/runstore ./cmd/quire-runstate

demo: all
	./test/demo

install: all
	install -d $(D)/bin $(D)/share/quire/hooks $(BASH) $(ZSH) $(FISH)
	for name in $(COMMANDS); do dd if=bin/$$name of=$(D)/bin/$$name.new bs=16M status=none && $(call put,$(D)/bin/$$name) || exit 1; done
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
