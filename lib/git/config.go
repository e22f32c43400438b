package git

import (
	"context"
	"slices"
	"strings"

	"quire/lib/git/direct"
)

// Config returns the value of a configuration variable such as "quire.root": the last one
// given, as in git. A variable without a value is "true". The first call reads the whole
// configuration: directly if its files are simple, otherwise by one git.
func (r *Repo) Config(key string) (value string, ok bool, err error) {
	config, err := r.config()
	if err != nil {
		return "", false, err
	}
	values := config[canonicalKey(key)]
	if len(values) == 0 {
		return "", false, nil
	}
	return values[len(values)-1], true, nil
}

// privateValues are the values of core.sharedRepository that do not share a repository.
var privateValues = []string{"", "0", "umask", "false", "no", "off"}

// Shared reports whether several users may push to the repository, by core.sharedRepository.
func (r *Repo) Shared() bool {
	value, ok, _ := r.Config("core.sharedRepository")
	return ok && !slices.Contains(privateValues, strings.ToLower(value))
}

// AllConfig returns all values of all configuration variables, by the names that git
// prints. The caller must not change the map.
func (r *Repo) AllConfig() (map[string][]string, error) { return r.config() }

// ConfigHere returns the value of a variable as Config does, for the repository of the
// working directory. Outside of repositories, it returns the user's or the system's value.
func ConfigHere(key string) (value string, ok bool, err error) {
	repo, err := Open(".")
	if err != nil {
		repo = newRepo("")
	}
	return repo.Config(key)
}

func (r *Repo) loadConfig() (map[string][]string, error) {
	dir := ""
	if r.dir != "" {
		dir = r.CommonDir()
	}
	if config, ok := direct.Config(dir); ok {
		return config, nil
	}
	out, err := r.output(context.Background(), "config", "--list", "-z", "--includes")
	if err != nil {
		return nil, err
	}
	return parseConfig(string(out)), nil
}

// parseConfig parses the output of `git config --list -z`: entries that end with a
// NUL, each a key, a line break and a value, or a key alone.
func parseConfig(text string) map[string][]string {
	config := map[string][]string{}
	for entry := range strings.SplitSeq(text, "\x00") {
		if entry == "" {
			continue
		}
		key, value, ok := strings.Cut(entry, "\n")
		if !ok {
			value = "true"
		}
		config[key] = append(config[key], value)
	}
	return config
}

// canonicalKey returns a key as git prints it: section and variable in lower case, the
// subsection between them unchanged.
func canonicalKey(key string) string {
	first, last := strings.Index(key, "."), strings.LastIndex(key, ".")
	if first < 0 {
		return strings.ToLower(key)
	}
	return strings.ToLower(key[:first]) + key[first:last] + strings.ToLower(key[last:])
}
