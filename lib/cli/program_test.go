package cli

import (
	"os"
	"slices"
	"testing"
)

// TestPrograms checks Programs against the commands of the tree.
func TestPrograms(t *testing.T) {
	want := []string{"quire-dispatch"}
	dirs, err := os.ReadDir("../../cmd")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		want = append(want, d.Name())
	}
	if got := slices.Sorted(slices.Values(Programs)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("got %q, want %q in any order", got, want)
	}
}
