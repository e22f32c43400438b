package web

import (
	"fmt"
	"strconv"
	"strings"

	"quire/lib/text"
)

// A line is a line of a log for HTML.
type line struct {
	Class string // of the line
	Spans []span
}

// A span is a part of a line in one style. Its class is "" for none.
type span struct{ Class, Text string }

// shownLine returns a line as a terminal shows it in the end. A line of more than maxLine
// bytes is cut and ends with "...".
func shownLine(s string) string { return text.Overwritten(text.Cut(s, maxLine)) }

// attributes are the classes of the attributes that the codes 1 to 4 set.
var attributes = [...]string{1: "bold", 2: "dim", 3: "italic", 4: "under"}

// A style is the state that the sequences for colours (SGR, ECMA-48 8.3.117) have set. It
// continues from line to line, as at a terminal.
type style struct {
	on         [len(attributes)]bool
	fore, back string // "" or a number from 0 to 15
}

// line splits a line into spans. The line must come from text.Overwritten: it has colours
// and no other sequences.
func (s *style) line(words string) line {
	if rest, ok := strings.CutSuffix(words, "\x1b[0m"); ok {
		words = rest // Overwritten added it
	}
	var l line
	for {
		before, after, found := strings.Cut(words, "\x1b[")
		if before != "" {
			l.Spans = append(l.Spans, span{s.class(), before})
		}
		if !found {
			return l
		}
		codes, rest, _ := strings.Cut(after, "m")
		s.set(codes)
		words = rest
	}
}

// class returns the classes of the style.
func (s *style) class() string {
	var list []string
	for code, name := range attributes {
		if s.on[code] {
			list = append(list, name)
		}
	}
	if s.fore != "" {
		list = append(list, "f"+s.fore)
	}
	if s.back != "" {
		list = append(list, "b"+s.back)
	}
	return strings.Join(list, " ")
}

// set applies a sequence.
func (s *style) set(codes string) {
	list := strings.FieldsFunc(codes, func(c rune) bool { return c == ';' || c == ':' })
	if len(list) == 0 {
		list = []string{"0"}
	}
	for len(list) > 0 {
		n, _ := strconv.Atoi(list[0])
		list = list[1:]
		colour := &s.fore
		if n >= 40 && n < 50 || n >= 100 {
			colour = &s.back
		}
		switch {
		case n == 0:
			*s = style{}
		case n >= 1 && n <= 4:
			s.on[n] = true
		case n == 22:
			s.on[1], s.on[2] = false, false
		case n == 23 || n == 24:
			s.on[n-20] = false
		case n == 38 || n == 48:
			*colour, list = extended(list)
		case n == 39 || n == 49:
			*colour = ""
		case n >= 30 && n < 50:
			*colour = strconv.Itoa(n % 10)
		case n >= 90 && n < 98 || n >= 100 && n < 108: // bright
			*colour = strconv.Itoa(8 + n%10)
		}
	}
}

// extended returns the colour of the codes after 38 or 48 as one of 16 colours, and the
// remaining codes. "5;N" is a colour of a palette of 256, "2;R;G;B" is any colour.
func extended(codes []string) (colour string, rest []string) {
	var n [4]int
	for i := range min(len(codes), len(n)) {
		n[i], _ = strconv.Atoi(codes[i])
	}
	switch {
	case n[0] == 5 && len(codes) > 1:
		rest = codes[2:]
		switch i := n[1]; {
		case i < 16:
			return fmt.Sprint(max(i, 0)), rest
		case i < 232: // a cube of 6 by 6 by 6
			i -= 16
			return nearest(i/36*51, i/6%6*51, i%6*51), rest
		default: // grey
			grey := min(i-232, 23)*10 + 8
			return nearest(grey, grey, grey), rest
		}
	case n[0] == 2 && len(codes) > 3:
		return nearest(n[1], n[2], n[3]), codes[4:]
	}
	return "", nil
}

// nearest returns the most similar of the 16 colours.
func nearest(r, g, b int) string {
	bright := max(r, g, b)
	switch {
	case bright < 64:
		return "0"
	case bright-min(r, g, b) < 32 && bright <= 160: // grey
		return "8"
	case bright-min(r, g, b) < 32:
		return "7"
	}
	colour := 0
	for bit, c := range []int{r, g, b} {
		if c > bright/2 {
			colour |= 1 << bit
		}
	}
	if bright > 200 {
		colour += 8
	}
	return strconv.Itoa(colour)
}
