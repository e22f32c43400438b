package fennel_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDifferentialMutations damages the hand-written cases slightly, and compares the
// results of the two compilers: mostly whether both refuse them.
func TestDifferentialMutations(t *testing.T) {
	r := findReference(t)
	first, count := envNumber(t, "FENNEL_SEED", 1), envNumber(t, "FENNEL_PROGRAMS", 500)
	var seeds []form
	for _, c := range conformanceCases(t) {
		if len(c.Files) == 0 && !c.Endless && c.Differs == "" {
			seeds = append(seeds, readForms(c.Source))
		}
	}
	programs := make([][]string, count)
	for i := range programs {
		rng := rand.New(rand.NewPCG(uint64(first+i), 2))
		mutant := seeds[rng.IntN(len(seeds))].clone()
		for range 1 + rng.IntN(2) {
			mutant.mutate(rng, seeds[rng.IntN(len(seeds))])
		}
		programs[i] = []string{strings.TrimSpace(mutant.String())}
	}
	tally := map[string]int{}
	for i, o := range r.compare(t, programs) {
		tally[o.what]++
		if o.different() {
			t.Errorf("mutant %d: %s\n%s\nreference: %.300s\nquire:     %.300s", first+i, o.what, programs[i][0], o.reference, o.ours)
		}
	}
	t.Logf("%d mutants: %v", count, tally)
}

// A form is a token or, if open is set, the forms between two delimiters.
type form struct {
	open, text string
	items      []form
}

var (
	formToken = regexp.MustCompile(`;[^\n]*|"(?:[^"\\]|\\(?s:.))*"|[#,` + "`" + `']?[(\[{]|[)\]}]|[^\s()\[\]{}";]+`)
	closers   = map[byte]string{'(': ")", '[': "]", '{': "}"}
)

// readForms reads a source roughly: it drops delimiters that do not match.
func readForms(source string) form {
	stack := []form{{open: " "}}
	for _, token := range formToken.FindAllString(source, -1) {
		top := &stack[len(stack)-1]
		switch last := token[len(token)-1]; {
		case token[0] == ';':
		case token[0] == '"' || !strings.ContainsRune("([{)]}", rune(last)):
			top.items = append(top.items, form{text: token})
		case closers[last] != "":
			stack = append(stack, form{open: token})
		case len(stack) > 1:
			stack = stack[:len(stack)-1]
			stack[len(stack)-1].items = append(stack[len(stack)-1].items, *top)
		}
	}
	return stack[0]
}

func (f form) String() string {
	if f.open == "" {
		return f.text
	}
	items := make([]string, len(f.items))
	for i, item := range f.items {
		items[i] = item.String()
	}
	return f.open + strings.Join(items, " ") + closers[f.open[len(f.open)-1]]
}

func (f form) clone() form {
	f.items = slices.Clone(f.items)
	for i := range f.items {
		f.items[i] = f.items[i].clone()
	}
	return f
}

// nodes returns every form that contains others, the outermost first.
func (f *form) nodes() []*form {
	all := []*form{f}
	for i := range f.items {
		if f.items[i].open != "" {
			all = append(all, f.items[i].nodes()...)
		}
	}
	return all
}

// mutate changes one form in f; new forms come from donor.
func (f *form) mutate(rng *rand.Rand, donor form) {
	nodes, lent := f.nodes(), donor.nodes()
	node, from := nodes[rng.IntN(len(nodes))], lent[rng.IntN(len(lent))]
	if len(node.items) == 0 || len(from.items) == 0 {
		return
	}
	i, gift := rng.IntN(len(node.items)), from.items[rng.IntN(len(from.items))].clone()
	switch rng.IntN(7) {
	case 0:
		node.items = slices.Delete(node.items, i, i+1)
	case 1:
		node.items = slices.Insert(node.items, i, gift)
	case 2:
		node.items[i] = gift
	case 3:
		j := rng.IntN(len(node.items))
		node.items[i], node.items[j] = node.items[j], node.items[i]
	case 4:
		node.items = slices.Insert(node.items, i, node.items[i].clone())
	case 5:
		node.items[i] = form{open: []string{"(", "[", "{", "#("}[rng.IntN(4)], items: []form{node.items[i]}}
	case 6:
		words := strings.Fields("nil true 1 :a x ... & &as $ _ ?y if let fn . : values case a.b a:b .. = $... not")
		node.items[i] = form{text: words[rng.IntN(len(words))]}
	}
}
