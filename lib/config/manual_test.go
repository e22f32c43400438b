package config

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
)

var display = regexp.MustCompile(`(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed$`)

// TestManual reads the configurations of the manual page.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../man/quire.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	blocks := display.FindAllSubmatch(page, -1)
	if len(blocks) < 3 {
		t.Errorf("found %d configurations", len(blocks))
	}
	for _, block := range blocks {
		text, name := string(block[1]), tomlName
		if strings.HasPrefix(text, "(") {
			name = fennelName
		}
		if _, err := Load(context.Background(), root(t, name, text)); err != nil {
			t.Errorf("%s\n%s", err, text)
		}
	}
	for key := range keys() {
		if !strings.Contains(string(page), ".It Cm "+key) {
			t.Errorf("key %s is not described", key)
		}
	}
}
