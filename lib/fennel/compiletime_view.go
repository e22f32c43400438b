package fennel

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/vm"
)

// luaView writes a value as Fennel on one line. The options of the language's own view
// about line breaks and colours have no effect.
func (t *compileTime) luaView(l *lua.LState) int {
	return vm.Push(l, lua.LString(t.view(l.Get(1))))
}

func (t *compileTime) view(v lua.LValue) string {
	var b strings.Builder
	t.write(&b, v, 0)
	return b.String()
}

// maxViewDepth bounds the depth of view: a table may contain itself.
const maxViewDepth = 100

func (t *compileTime) write(b *strings.Builder, v lua.LValue, depth int) {
	t.c.step()
	if depth > maxViewDepth {
		b.WriteString("...")
		return
	}
	switch v := v.(type) {
	case lua.LString:
		b.WriteString(quoteLua(string(v)))
	case lua.LNumber:
		b.WriteString(numberFennel(float64(v)))
	case *lua.LTable:
		t.writeTable(b, v, depth+1)
	case *lua.LNilType, lua.LBool:
		b.WriteString(v.String())
	default:
		b.WriteString("#<" + v.String() + ">")
	}
}

func (t *compileTime) writeTable(b *strings.Builder, v *lua.LTable, depth int) {
	switch v.Metatable {
	case t.symMeta, t.varargMeta, t.commentMeta:
		b.WriteString(readable(lua.LVAsString(v.RawGetInt(1))))
		return
	}
	open, end := "[", "]"
	count := highest(v)
	keys := t.keys(v)
	switch {
	case v.Metatable == t.listMeta:
		open, end = "(", ")"
	case !t.isSequence(v) && (len(keys) != count || len(keys) == 0):
		t.writePairs(b, v, keys, depth)
		return
	}
	b.WriteString(open)
	for i := 1; i <= count; i++ {
		if i > 1 {
			b.WriteByte(' ')
		}
		t.write(b, v.RawGetInt(i), depth)
	}
	b.WriteString(end)
}

func (t *compileTime) writePairs(b *strings.Builder, v *lua.LTable, keys []lua.LValue, depth int) {
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(' ')
		}
		if s, ok := k.(lua.LString); ok && isKeyword(string(s)) {
			b.WriteString(":" + string(s))
		} else {
			t.write(b, k, depth)
		}
		b.WriteByte(' ')
		t.write(b, v.RawGet(k), depth)
	}
	b.WriteByte('}')
}

// isKeyword reports whether s can be written as a colon string.
func isKeyword(s string) bool {
	for i := range len(s) {
		if !symbolByte(s[i]) {
			return false
		}
	}
	return s != ""
}
