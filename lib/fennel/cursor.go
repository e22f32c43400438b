package fennel

import "quire/lib/vm"

// A cursor is where the next piece of Lua goes, each on the line of the form it comes
// from. Lines never go back: where evaluation had to move a form ahead of another, the
// other follows on the same line. A run-time error of Lua so names the line of the
// Fennel source. Only a module in the middle has rows of its own, and all that follow it
// are further down by as many.
type cursor struct {
	row   int // of the output
	line  int // of the source
	file  string
	moved []vm.Lines // what rows are not the lines of the main file
}

func start(file string) cursor { return cursor{row: 1, line: 1, file: file} }

// goTo moves down to line n, if it is further down, and returns by how many rows.
func (c *cursor) goTo(n int) (rows int) {
	rows = max(n-c.line, 0)
	c.row += rows
	c.line += rows
	return rows
}

// enter begins a row that is a line of file.
func (c *cursor) enter(file string, line int) {
	c.row++
	c.file, c.line = file, line
	c.moved = append(c.moved, vm.Lines{Row: c.row, File: file, Line: line})
}
