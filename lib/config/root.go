package config

// DefaultRoot is the root if none is configured.
const DefaultRoot = "/var/quire"

// The variable and the git config key that set the root.
const (
	rootVariable = "QUIRE_ROOT"
	RootGitKey   = "quire.root"
)

// Root returns the directory of the root: flag, which is the value of --root, else
// $QUIRE_ROOT, else git config quire.root, else DefaultRoot. An error of gitConfig counts as
// an unset key, because the command reports it when it uses the repository.
func Root(flag string, getenv func(string) string, gitConfig func(key string) (value string, ok bool, err error)) string {
	if flag != "" {
		return flag
	}
	if dir := getenv(rootVariable); dir != "" {
		return dir
	}
	if dir, ok, err := gitConfig(RootGitKey); err == nil && ok && dir != "" {
		return dir
	}
	return DefaultRoot
}
