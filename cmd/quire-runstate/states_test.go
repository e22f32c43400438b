package main

import (
	"slices"
	"testing"

	"quire/lib/runstore"
)

func TestStateList(t *testing.T) {
	for text, want := range map[string][]runstore.State{
		"failed":       {runstore.Failed},
		"live":         {runstore.Pending, runstore.Active},
		"ended":        {runstore.Complete, runstore.Failed, runstore.Superseded, runstore.Skipped},
		"active,ended": {runstore.Active, runstore.Complete, runstore.Failed, runstore.Superseded, runstore.Skipped},
		"":             nil,
		"live,oops":    nil,
	} {
		var l stateList
		err := l.Set(text)
		if (err != nil) != (want == nil) || err == nil && !slices.Equal(l, want) {
			t.Errorf("%s: got %v, %v, want %v", text, l, err, want)
		}
	}
}
