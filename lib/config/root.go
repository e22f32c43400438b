package config

// DefaultRoot is the root where nothing else names one.
const DefaultRoot = "/var/quire"

// The names by which the root is given.
const (
	rootVariable = "QUIRE_ROOT"
	rootGitKey   = "quire.root"
)

// Root returns the root's directory: flag, the value of --root, else $QUIRE_ROOT,
// else git config quire.root, else DefaultRoot. gitConfig is nil where there is no
// repository at hand, and one that fails is one without the key: whoever needs the
// repository meets its error anyway.
func Root(flag string, getenv func(string) string, gitConfig func(key string) (value string, ok bool, err error)) string {
	if flag != "" {
		return flag
	}
	if dir := getenv(rootVariable); dir != "" {
		return dir
	}
	if gitConfig != nil {
		if dir, ok, err := gitConfig(rootGitKey); err == nil && ok && dir != "" {
			return dir
		}
	}
	return DefaultRoot
}
