package vm

import (
	"sort"

	lua "github.com/yuin/gopher-lua"
)

// Lines say where rows of a text come from: those from Row on, up to the next Lines,
// are the lines of File from Line on. All count from 1.
type Lines struct {
	Row  int
	File string
	Line int
}

// mapLine returns where a row comes from. lines are in the order of their rows; those
// before the first are lines of file.
func mapLine(lines []Lines, file string, row int) (string, int) {
	i := sort.Search(len(lines), func(i int) bool { return lines[i].Row > row })
	if i == 0 {
		return file, row
	}
	l := lines[i-1]
	return l.File, l.Line + row - l.Row
}

// place gives a function and those in it the places that their rows come from. A
// function is all in one file, the one it begins in; what gopher-lua puts on a row of
// another, as the making of a function that is one, stays on the line before.
func place(p *lua.FunctionProto, lines []Lines) {
	file, last := mapLine(lines, p.SourceName, max(p.LineDefined, 1))
	for i, row := range p.DbgSourcePositions {
		if from, line := mapLine(lines, p.SourceName, row); from == file {
			last = line
		}
		p.DbgSourcePositions[i] = last
	}
	for _, inner := range p.FunctionPrototypes {
		place(inner, lines)
	}
	p.SourceName = file
}
