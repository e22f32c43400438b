package process

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	const rest = " 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 "
	for _, tt := range []struct {
		line string
		want proc
		ok   bool
	}{
		{"12 (sh) S 1 12 10" + rest + "1 0 777 9", proc{pid: 12, parent: 1, group: 12, session: 10, start: 777}, true},
		{"12 (a) b (c) Z 1 12 10" + rest + "1 0 777 9", proc{pid: 12, parent: 1, group: 12, session: 10, start: 777, zombie: true}, true},
		{"12 (no leader) Z 1 12 10" + rest + "3 0 777 9", proc{pid: 12, parent: 1, group: 12, session: 10, start: 777}, true},
		{"", proc{}, false},
		{"12 sh S 1", proc{}, false},
		{"12 (sh) S 1 12 10", proc{}, false},
		{"12 (sh) S x 12 10" + rest + "1 0 777 9", proc{}, false},
	} {
		got, err := parseStat(tt.line)
		if (err == nil) != tt.ok {
			t.Errorf("%q: error %v", tt.line, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(proc{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.line, diff)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(own))
	f.Fuzz(func(t *testing.T, line string) { parseStat(line) })
}

func TestBelow(t *testing.T) {
	table := table{}
	for pid, parent := range map[int]int{1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 7, 7: 6} {
		table[pid] = proc{pid: pid, parent: parent}
	}
	table[8] = proc{pid: 8, parent: 4, zombie: true}
	table[9] = proc{pid: 9, parent: 8}
	var got []int
	for _, p := range table.below(func(p proc) bool { return p.parent == 2 }) {
		got = append(got, p.pid)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]int{3, 4, 9}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
