package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"quire/lib/diag"
)

// parseTOML parses the document. The values come from the decoder, which checks all rules of
// TOML. The positions come from its parser: the decoder has them only for its own errors.
func (d *document) parseTOML() (*table, error) {
	var m map[string]any
	if err := toml.Unmarshal(d.text, &m); err != nil {
		var e *toml.DecodeError
		if !errors.As(err, &e) {
			return nil, diag.List{d.diagnostic(position{1, 1}, "", "%s", err)}
		}
		line, column := e.Position()
		offset := column - 1
		for i, text := range strings.SplitAfter(string(d.text), "\n") {
			if i+1 < line {
				offset += len(text)
			}
		}
		return nil, diag.List{d.diagnostic(d.positionOf(offset), "", "%s", strings.TrimPrefix(e.Error(), "toml: "))}
	}
	p := &positions{document: d, keys: map[string]position{}, values: map[string]position{}}
	p.parser.Reset(d.text)
	var header []string
	for p.parser.NextExpression() {
		switch e := p.parser.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			header = p.path(nil, e.Key())
		case unstable.KeyValue:
			p.keyValue(header, e)
		}
	}
	return p.table(nil, m), nil
}

// positions are the positions of the keys and the values of a document, by their paths.
type positions struct {
	*document
	parser       unstable.Parser
	keys, values map[string]position
}

func join(path []string) string { return strings.Join(path, "\x00") }

// path appends a key, which may be dotted, to a path. It stores the first position of each
// part.
func (p *positions) path(path []string, key unstable.Iterator) []string {
	path = slices.Clone(path)
	for key.Next() {
		n := key.Node()
		path = append(path, string(n.Data))
		if _, ok := p.keys[join(path)]; !ok {
			p.keys[join(path)] = p.positionOf(int(n.Raw.Offset))
		}
	}
	return path
}

func (p *positions) keyValue(path []string, n *unstable.Node) {
	path = p.path(path, n.Key())
	p.value(path, n.Value())
}

// value stores the position of the value of a path. For lists and inline tables the parser
// has none, so at uses the position of their key.
func (p *positions) value(path []string, n *unstable.Node) {
	switch n.Kind {
	case unstable.InlineTable:
		for children := n.Children(); children.Next(); {
			p.keyValue(path, children.Node())
		}
	case unstable.Array:
		i := 0
		for children := n.Children(); children.Next(); {
			if child := children.Node(); child.Kind != unstable.Comment {
				p.value(append(slices.Clone(path), strconv.Itoa(i)), child)
				i++
			}
		}
	default:
		p.values[join(path)] = p.positionOf(int(n.Raw.Offset))
	}
}

// at returns the position of the value of a path, or of the nearest key above it.
func (p *positions) at(path []string) position {
	if at, ok := p.values[join(path)]; ok {
		return at
	}
	for ; len(path) > 0; path = path[:len(path)-1] {
		if at, ok := p.keys[join(path)]; ok {
			return at
		}
	}
	return position{1, 1}
}

// table combines values and positions.
func (p *positions) table(path []string, m map[string]any) *table {
	t := &table{}
	for name, v := range m {
		path := append(slices.Clone(path), name)
		at, ok := p.keys[join(path)]
		if !ok {
			at = p.at(path)
		}
		t.entries = append(t.entries, entry{name, at, p.convert(path, v)})
	}
	t.sort()
	return t
}

func (p *positions) convert(path []string, v any) value {
	result := value{p.at(path), v}
	switch v := v.(type) {
	case map[string]any:
		result.v = p.table(path, v)
	case []any:
		list := []value{}
		for i, e := range v {
			list = append(list, p.convert(append(slices.Clone(path), strconv.Itoa(i)), e))
		}
		result.v = list
	}
	return result
}
