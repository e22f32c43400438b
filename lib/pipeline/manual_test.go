package pipeline

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
)

var display = regexp.MustCompile(`(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed$`)

// TestManual loads the pipelines of the manual page.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../man/quire-pipeline.5")
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for _, block := range display.FindAllSubmatch(page, -1) {
		text := string(block[1])
		name := Fennel
		switch {
		case strings.HasPrefix(text, "local ci"):
			name = Lua
		case !strings.HasPrefix(text, "(local ci"):
			continue
		}
		p, err := Load(context.Background(), files(name, text), Options{})
		if err != nil {
			t.Errorf("%s\n%s", err, text)
			continue
		}
		p.Close()
		loaded++
	}
	if loaded < 4 {
		t.Errorf("found %d pipelines", loaded)
	}
}
