// Package config reads the configuration of a root: one file, config.toml or config.fnl. Load
// reads it again at each call, and reports all errors in it at once, each with its position.
package config

import (
	"bytes"
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

// maxSize is the size of the largest file that is read, in bytes.
const maxSize = 1 << 20

// Settings are the settings of one repository. quire.toml(5) describes the fields.
type Settings struct {
	Executor      string // "host" or "quire-ci"
	Launcher      []string
	Shell         []string      // runs commands that are strings; empty: executor.DefaultShell
	MaxRuns       int           // runs at once; 0: no limit
	Jobs          int           // 0: the number of processors
	Timeout       time.Duration // 0: none
	Grace         time.Duration
	Gate          []string // patterns of refs that a push moves only if the commit's run is complete
	GateSkip      bool     // a push with the option to skip runs passes the gate
	Supersede     string   // "pending", "active" or "none"
	SkipTested    string   // "none", "commit" or "tree"
	KeepWorkspace string   // "failed", "all" or "none"
	WithGit       bool
	LFS           bool
	Submodules    bool
	Workspaces    int    // number of workspaces that later runs reuse; 0: none
	KeepIgnored   bool   // reused workspaces keep the files that Git ignores
	Cache         string // "none", "repo" or "ref"
	MaxCache      uint64 // bytes of all caches of a root; 0: no limit
	MaxArtifacts  uint64 // bytes of a run; 0: no limit
	MaxLog        uint64 // bytes of the beginning of a log, see runlog.NewLog; 0: no limit
	Keep          Keep
	Web           bool              // whether quire-web shows the repository
	URL           string            // of the pages of quire-web, without a slash at its end; "" for none
	EvalTime      time.Duration     // of one call of Lua; 0: the default of package vm
	EvalMemory    uint64            // of Lua, in bytes; 0: the default of package vm
	PassEnv       []string          // names of variables that jobs inherit from quire
	Env           map[string]string // further variables of jobs
	Secrets       map[string]Secret // for its runs, some of them only on certain refs

	declared map[string]Secret // all secrets in the global settings and its tables
}

// Keep says which runs and caches prune does not remove.
type Keep struct {
	Runs  int           // the newest ended runs of each repository; 0: all
	Cache time.Duration // caches that a run used within this time; 0: all
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

// Limits returns the limits of the evaluation of a pipeline.
func (s Settings) Limits() vm.Limits {
	return vm.Limits{Time: s.EvalTime, Memory: s.EvalMemory}
}

// A Config is the configuration of a root.
type Config struct {
	// Warnings are about deprecated settings, which still work. The pusher, quire-runstate
	// and doctor show them.
	Warnings diag.List

	global layer
	repos  []repoLayer // the most specific pattern last
}

// A layer changes some settings of the layers before it.
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

// Load reads the configuration of a root. Without a file it returns the defaults. The error
// is a diag.List if the contents of the file are invalid.
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
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read config: %w", err)
	}
	if len(text) > maxSize {
		return nil, diag.List{{File: path, Message: fmt.Sprintf("is larger than %d KiB", maxSize>>10)}}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // a byte order mark
	d := &document{file: path, text: text, readable: info.Mode()&othersRead != 0, declared: map[string]bool{}}
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
	d.problems.Sort()
	d.warnings.Sort()
	if len(d.problems) > 0 {
		return nil, d.problems
	}
	c.Warnings = d.warnings
	return c, nil
}

// For returns the settings of a repository: the defaults, then the global settings, then the
// tables whose patterns match the name, the most specific pattern last. The empty name gets
// the global settings.
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
