# quire: make [all|check|lint|bench|crash|demo|install|uninstall|dist|deb|clean]
PREFIX = /usr/local
DESTDIR =
GO = go
SCRIPTS = hooks/post-receive hooks/pre-receive hooks/quire-dispatch test/demo test/testdata/0.1.0/make.sh .ci/run lib/hook/post-receive.sh contrib/install contrib/launchers/* contrib/on-end.d/* contrib/report/junit contrib/report/tap contrib/git-shell-commands/ci
PROGRAMS = $(patsubst cmd/%,bin/%,$(wildcard cmd/*))
SOURCES = go.mod go.sum $(shell find cmd lib -name testdata -prune -o -type f ! -name '*_test.go' -print)
# the files that contrib/install copies besides the programs
COPIED = hooks man contrib README.md NEWS
# static, because images have no libraries; without -buildvcs, as Git refuses another user's clone
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='-s -w $(ENTRY)'
# the first function of the programs, see lib/cli/limits.go
ENTRY = $(if $(wildcard lib/cli/entry_$(or $(ARCH),$(shell $(GO) env GOARCH)).s),-E quire/lib/cli.entry)
VERSION = $(shell sed -n 's/^const Version = "\(.*\)"/\1/p' lib/cli/cli.go)
ARCHES = amd64 arm64
# the tools of lint and check that are not installed; check reports them at the end
ABSENT = $(strip $(foreach tool,staticcheck shellcheck mandoc cc,$(if $(shell command -v $(tool)),,$(tool))))
with = $(if $(filter $(1),$(ABSENT)),:,echo $(1); $(1) $(2))

all: $(PROGRAMS)

$(PROGRAMS) &: $(SOURCES)
	$(BUILD) -o bin/ ./cmd/...
	@touch $(PROGRAMS)

# SLOW=1 also runs tests that start services or a browser or add users, repeats some checks
# more often (at each system call, with a second shell), and has the race detector watch
# the packages whose tests run the code in their own process (tests of ./test and quire-runstate
# run programs), except lib/vm and lib/pipeline: they measure memory and time, and the detector
# multiplies both. NOSKIP=1 fails if a test was skipped.
# SKIP=REGEX leaves out tests of ./test, without reporting them.
# Fennel is compared with the reference compiler if FENNEL_REFERENCE names its fennel.lua.
check: lint
	$(GO) run ./test/summary -absent '$(ABSENT)' $(if $(FENNEL_REFERENCE),,-skip 'Differential|ConformanceReference') \
		-timeout 30m $(if $(SLOW),$(if $(filter cc,$(ABSENT)),,-race)) $$($(GO) list ./lib/... ./cmd/... | grep -v -e pipeline -e vm -e runstate) \
		-- $(if $(SKIP),-skip '$(SKIP)') -timeout 30m -parallel 4 ./lib/vm ./lib/pipeline ./cmd/quire-runstate ./test/...

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
	CRASH=full $(GO) test -timeout 60m -run GateIsKilled ./test
	RACES=full $(GO) test -run EverythingAtOnce ./lib/runstore ./cmd/quire-runstate

demo: all
	./test/demo

# install builds only if a source is newer, so after make it needs no Go
install: all
	@DESTDIR='$(DESTDIR)' contrib/install '$(PREFIX)'

uninstall:
	@DESTDIR='$(DESTDIR)' contrib/install -u '$(PREFIX)'

# archives to unpack and install with contrib/install PREFIX, and Debian packages
dist: $(ARCHES:%=dist-%)
deb: $(ARCHES:%=deb-%)

dist-%: NAME = quire-$(VERSION)-linux-$*
dist-%: ARCH = $*
dist-%:
	@rm -rf bin/$(NAME) && mkdir -p bin/$(NAME)/bin
	GOARCH=$* $(BUILD) -o bin/$(NAME)/bin/ ./cmd/...
	@cp -R $(COPIED) bin/$(NAME)
	@tar -C bin --owner=0 --group=0 --numeric-owner --sort=name -czf bin/$(NAME).tar.gz $(NAME)
	@echo bin/$(NAME).tar.gz

deb-%: ROOT = bin/quire_$(VERSION)_$*
deb-%: dist-%
	@rm -rf $(ROOT) && mkdir -p $(ROOT)/DEBIAN $(ROOT)/usr
	@sed 's/VERSION/$(VERSION)/; s/ARCH/$*/' contrib/debian/control >$(ROOT)/DEBIAN/control
	@DESTDIR='$(CURDIR)/$(ROOT)' bin/quire-$(VERSION)-linux-$*/contrib/install /usr >/dev/null
	@chmod -R go-w $(ROOT) && dpkg-deb --root-owner-group --build $(ROOT) $(ROOT).deb

clean:
	rm -rf bin

.PHONY: all check lint bench crash demo install uninstall dist deb clean
