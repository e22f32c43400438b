package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
	"quire/lib/vm"
)

// maxNesting limits the depth of tables in config.fnl, because a table may contain itself. No
// setting is nested half as deep.
const maxNesting = 8

// parseFennel evaluates the document in a sandbox. Its value must be one table. The positions
// come from the last form of the document, as far as it is a literal.
func (d *document) parseFennel(ctx context.Context) (*table, error) {
	v := vm.New(vm.Limits{})
	defer v.Close()
	bound := v.Bound(ctx)
	var written []fennel.Node
	program, err := fennel.Compile(d.text, fennel.Options{
		File: d.file, Globals: v.Globals(), Bound: bound,
		Forms: func(forms []fennel.Node) { written = forms },
	})
	bound.End()
	if err != nil {
		return nil, err
	}
	var values []lua.LValue
	fn, err := program.Load(v)
	if err == nil {
		values, err = v.Call(ctx, fn)
	}
	var raised *vm.Error
	var syntax *vm.SyntaxError
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("cannot evaluate config: %w", context.Cause(ctx))
	case errors.As(err, &raised):
		return nil, diag.List{d.diagnostic(position{raised.Line, 1}, "", "%s", raised.Message)}
	case errors.As(err, &syntax):
		return nil, diag.List{d.diagnostic(position{syntax.Line, 1}, "", "%s", syntax.Message)}
	case err != nil:
		return nil, err
	}
	at, last := position{1, 1}, fennel.Node(nil)
	if len(written) > 0 {
		last = written[len(written)-1]
		at = nodePosition(last)
	}
	if len(values) == 1 {
		if t, ok := values[0].(*lua.LTable); ok {
			if top, ok := fromLua(t, last, at, 0).v.(*table); ok {
				return top, nil
			}
		}
	}
	return nil, diag.List{d.diagnostic(at, "such as {:executor :quire-ci}", "config must be one table with keys")}
}

func nodePosition(n fennel.Node) position {
	return position{n.Pos().Line, n.Pos().Column}
}

// fromLua converts a value. written is its literal in the document. If there is none, written
// is nil and the value has the position at.
func fromLua(v lua.LValue, written fennel.Node, at position, depth int) value {
	if written != nil {
		at = nodePosition(written)
	}
	result := value{at: at, v: v}
	switch v := v.(type) {
	case lua.LString:
		result.v = string(v)
	case lua.LBool:
		result.v = bool(v)
	case lua.LNumber:
		result.v = float64(v)
		if f := float64(v); f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			result.v = int64(f)
		}
	case *lua.LTable:
		if depth < maxNesting {
			result.v = fromTable(v, written, at, depth)
		}
	}
	return result
}

// fromTable returns a list for a table that has only elements, and for an empty table that is
// written as a sequence. Otherwise it returns a *table.
func fromTable(t *lua.LTable, written fennel.Node, at position, depth int) any {
	sequence, _ := written.(*fennel.Sequence)
	n := t.Len()
	list := make([]value, 0, n)
	for i := 1; i <= n; i++ {
		var node fennel.Node
		if sequence != nil && i <= len(sequence.Items) {
			node = sequence.Items[i-1]
		}
		list = append(list, fromLua(t.RawGetInt(i), node, at, depth+1))
	}
	keys, _ := written.(*fennel.Table)
	result := &table{}
	t.ForEach(func(key, v lua.LValue) {
		if n, ok := key.(lua.LNumber); ok && int(n) >= 1 && int(n) <= len(list) {
			return
		}
		e := entry{name: key.String(), at: at}
		var node fennel.Node
		for i := 0; keys != nil && i < len(keys.Keys); i++ {
			if s, ok := keys.Keys[i].(*fennel.String); ok && s.Value == e.name {
				e.at, node = nodePosition(s), keys.Values[i]
			}
		}
		e.value = fromLua(v, node, e.at, depth+1)
		result.entries = append(result.entries, e)
	})
	if len(result.entries) == 0 && (n > 0 || sequence != nil) {
		return list
	}
	for i, v := range list {
		result.entries = append(result.entries, entry{fmt.Sprint(i + 1), v.at, v})
	}
	result.sort()
	return result
}

// sort sorts entries by their positions, so that messages have a stable order.
func (t *table) sort() {
	slices.SortFunc(t.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column), cmp.Compare(a.name, b.name))
	})
}
