package git

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Oldest is the oldest version of git that this package works with.
const Oldest = "2.34"

// Version returns the version of the git that is started, such as "2.39.5".
func Version(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "git", "version")
	cmd.Env = CleanEnv(os.Environ())
	out, err := finish(ctx, cmd, "version")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "git version ")), nil
}

// Older reports whether the version a is older than b. What is no number in them, as
// "rc0" and the names of distributors, does not count.
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
