// Package config reads the configuration of a root, which is one file in TOML or
// in Fennel: config.toml or config.fnl. It is read afresh each time it is needed,
// and all that is wrong with it is reported at once, each thing at its place.
package config

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"quire/lib/diag"
	"quire/lib/file"
	"quire/lib/glob"
	"quire/lib/runlog"
	"quire/lib/vm"
)

// Names of the file.
const (
	tomlName   = "config.toml"
	fennelName = "config.fnl"
)

// MaxSize bounds the file, in bytes.
const MaxSize = 1 << 20

// Settings are what holds for one repository. The fields are described in
// quire.toml(5).
type Settings struct {
	Executor      string // "host" or "quire-ci"
	Launcher      []string
	Shell         []string      // runs commands that are strings; empty: executor.DefaultShell
	MaxRuns       int           // runs at once; 0: no bound
	Jobs          int           // 0: the number of processors
	Timeout       time.Duration // 0: none
	Grace         time.Duration
	Gate          []string // patterns of refs that a push moves only to complete commits
	GateSkip      bool     // a push that asks for no run passes the gate
	Supersede     string   // "pending", "active" or "none"
	SkipTested    string   // "none", "commit" or "tree"
	KeepWorkspace string   // "failed", "all" or "none"
	WithGit       bool
	LFS           bool
	Submodules    bool
	Workspaces    int    // to keep and take again; 0: none
	KeepIgnored   bool   // kept workspaces keep the files that Git ignores
	Cache         string // "none", "repo" or "ref"
	MaxCache      uint64 // bytes of all caches of a root; 0: no bound
	MaxArtifacts  uint64 // bytes of a run; 0: no bound
	MaxLog        uint64 // bytes of the beginning of a log, see runlog.NewLog; 0: no bound
	Keep          Keep
	Web           bool              // whether quire-web shows the repository
	URL           string            // of the pages of quire-web, without a slash at its end; "" for none
	EvalTime      time.Duration     // of a stretch of Lua; 0: that of package vm
	EvalMemory    uint64            // of Lua, in bytes; 0: that of package vm
	PassEnv       []string          // names of variables of quire's own environment that jobs get
	Env           map[string]string // variables that jobs get, by names
	Secrets       map[string]Secret // that its runs may have, some of them on certain refs only

	declared map[string]Secret // for it or for more, whether it has them or not
}

// Keep says what prune leaves.
type Keep struct {
	Runs  int           // ended runs of a repository; 0: all
	Cache time.Duration // caches that no run used for less; 0: all
}

// defaults are the settings of an empty file.
func defaults() Settings {
	return Settings{
		Executor:      "host",
		MaxRuns:       runtime.NumCPU(),
		Timeout:       time.Hour,
		Grace:         10 * time.Second,
		Supersede:     "none",
		SkipTested:    "none",
		KeepWorkspace: "none",
		Keep:          Keep{Runs: 200, Cache: 30 * 24 * time.Hour},
		Cache:         "none",
		MaxCache:      10 << 30,
		MaxArtifacts:  1 << 30,
		MaxLog:        runlog.DefaultMax,
	}
}

// KeepsWorkspace reports whether the workspace of an ended run stays. failed says how it
// ended.
func (s Settings) KeepsWorkspace(failed bool) bool {
	return s.KeepWorkspace == "all" || s.KeepWorkspace == "failed" && failed
}

// Gated reports whether a push moves the ref only if its run is complete.
func (s Settings) Gated(ref string) bool {
	return slices.ContainsFunc(s.Gate, func(pattern string) bool { return glob.Match(pattern, ref) })
}

// Limits returns what the evaluation of a pipeline may use.
func (s Settings) Limits() vm.Limits {
	return vm.Limits{Time: s.EvalTime, Memory: s.EvalMemory}
}

// A Config is the configuration of a root.
type Config struct {
	// Warnings are about deprecated settings, which still count. They are for the
	// pusher, quire-runstate and doctor to show.
	Warnings diag.List

	global layer
	repos  []repoLayer // the more specific ones later
}

// A layer changes some of the settings below it.
type layer []func(*Settings)

// A repoLayer is for the repositories that a pattern matches.
type repoLayer struct {
	pattern string
	layer
	unmatched diag.Diagnostic // what to report if no repository matches
}

// Unmatched returns a warning for each table of a repository that matches none of names.
func (c *Config) Unmatched(names []string) diag.List {
	var list diag.List
	for _, r := range c.repos {
		if !slices.ContainsFunc(names, func(name string) bool { return glob.Match(r.pattern, name) }) {
			list = append(list, r.unmatched)
		}
	}
	return list
}

// Load reads the configuration of a root. Without a file it holds the defaults.
// The error is a diag.List if something is wrong with what the file says.
func Load(ctx context.Context, root string) (*Config, error) {
	var found []string
	for _, name := range []string{tomlName, fennelName} {
		path := filepath.Join(root, name)
		switch _, err := os.Lstat(path); {
		case err == nil:
			found = append(found, path)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("cannot read config: %w", err)
		}
	}
	switch len(found) {
	case 0:
		return &Config{}, nil
	case 1:
		return read(ctx, found[0])
	}
	return nil, diag.List{{File: found[0], Message: fmt.Sprintf("'%s' and '%s' both exist", tomlName, fennelName), Hint: "keep one of them"}}
}

// read reads one file.
func read(ctx context.Context, path string) (*Config, error) {
	f, err := file.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read config: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read config: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, diag.List{{File: path, Message: "is not a regular file"}}
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read config: %w", err)
	}
	if len(text) > MaxSize {
		return nil, diag.List{{File: path, Message: fmt.Sprintf("is larger than %d KiB", MaxSize>>10)}}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark
	d := &document{file: path, text: text, open: info.Mode()&othersRead != 0}
	var top *table
	if strings.HasSuffix(path, ".fnl") {
		top, err = d.parseFennel(ctx)
	} else {
		top, err = d.parseTOML()
	}
	var list diag.List
	if errors.As(err, &list) {
		return nil, d.withoutSecrets(list)
	}
	if err != nil {
		return nil, err
	}
	c := d.config(top)
	for _, list := range []diag.List{d.problems, d.warnings} {
		slices.SortStableFunc(list, func(a, b diag.Diagnostic) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	c.Warnings = d.warnings
	return c, nil
}

// For returns the settings of a repository: the defaults, what the file says for
// all, then what it says for repositories by this name, from the most general
// pattern to the most specific. The empty name is that of none, and has what holds
// for all.
func (c *Config) For(repo string) Settings {
	s := defaults()
	s.Env, s.Secrets, s.declared = map[string]string{}, map[string]Secret{}, map[string]Secret{}
	c.global.apply(&s)
	for _, r := range c.repos {
		if repo != "" && glob.Match(r.pattern, repo) {
			r.apply(&s)
		}
	}
	s.Launcher, s.Shell, s.PassEnv = slices.Clone(s.Launcher), slices.Clone(s.Shell), slices.Clone(s.PassEnv)
	s.declared = nil
	return s
}
