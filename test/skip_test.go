package test

import (
	"fmt"
	"os"
	"testing"
)

// skip skips the test, and says so also where tests are not asked to talk. Where
// nothing may be skipped, which NOSKIP says, it fails.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf("skipped: "+format, args...)
	if os.Getenv("NOSKIP") != "" {
		t.Fatal(text)
	}
	fmt.Fprintln(os.Stderr, text)
	t.Skip(text)
}
