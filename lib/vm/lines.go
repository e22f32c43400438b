package vm

import (
	"sort"

	lua "github.com/yuin/gopher-lua"
)

// Lines map rows of a text to lines of files: the rows from Row on, up to the next Lines,
// are the lines of File from Line on. All count from 1.
type Lines struct {
	Row  int
	File string
	Line int
}

// mapLine returns the file and line of a row. lines are sorted by Row; rows before the first
// belong to file.
func mapLine(lines []Lines, file string, row int) (string, int) {
	i := sort.Search(len(lines), func(i int) bool { return lines[i].Row > row })
	if i == 0 {
		return file, row
	}
	l := lines[i-1]
	return l.File, l.Line + row - l.Row
}

// mapFunction maps the rows of a function, and of the functions in it, to lines of files. A
// function belongs to the file that it begins in. An instruction that gopher-lua puts into
// another file keeps the line of the instruction before it.
func mapFunction(p *lua.FunctionProto, lines []Lines) {
	file, last := mapLine(lines, p.SourceName, max(p.LineDefined, 1))
	for i, row := range p.DbgSourcePositions {
		if from, line := mapLine(lines, p.SourceName, row); from == file {
			last = line
		}
		p.DbgSourcePositions[i] = last
	}
	for _, inner := range p.FunctionPrototypes {
		mapFunction(inner, lines)
	}
	p.SourceName = file
}
