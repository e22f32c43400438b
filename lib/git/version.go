package git

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// OldestVersion is the oldest version of git that this package works with.
const OldestVersion = "2.34"

// Version returns the version of git, such as "2.39.5".
func Version(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "git", "version")
	cmd.Env = CleanEnv(os.Environ())
	out, err := runGit(ctx, cmd, "version")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "git version ")), nil
}

// Older reports whether version a is older than b. Parts that are not numbers, such as "rc0"
// and the names of distributors, count as 0.
func Older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range y {
		have := 0
		if i < len(x) {
			have, _ = strconv.Atoi(x[i])
		}
		if want, _ := strconv.Atoi(y[i]); have != want {
			return have < want
		}
	}
	return false
}
