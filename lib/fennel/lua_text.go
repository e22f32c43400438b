package fennel

import "strings"

// luaOnOneLine rewrites Lua without newlines, so that the lines of the output after it stay
// right: it drops comments and turns long strings into quoted ones. It also drops
// semicolons at either end, because the printer writes its own.
func luaOnOneLine(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		switch {
		case strings.HasPrefix(text, "--"):
			text = skipLuaComment(text[2:])
			b.WriteByte(' ')
		case text[0] == '"' || text[0] == '\'':
			n := quotedLength(text)
			b.WriteString(strings.ReplaceAll(text[:n], "\\\n", `\n`))
			text = text[n:]
		case text[0] == '[':
			content, rest, ok := longBracket(text)
			if !ok {
				b.WriteByte('[')
				text = text[1:]
				break
			}
			b.WriteString(quoteLua(content))
			text = rest
		case text[0] == '\n' || text[0] == '\r':
			b.WriteByte(' ')
			text = text[1:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return strings.Trim(b.String(), "; \t\v\f")
}

// skipLuaComment takes the text after the dashes of a comment and returns the text after the
// comment.
func skipLuaComment(text string) string {
	if _, rest, ok := longBracket(text); ok {
		return rest
	}
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return text[i:]
	}
	return ""
}

// quotedLength returns the length of the quoted string at the start of text.
func quotedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		}
	}
	return len(text)
}

// longBracket cuts a long string, [[ ]], [=[ ]=] and so on, from the start of text.
// A newline right after the opening bracket is not part of it.
func longBracket(text string) (content, rest string, ok bool) {
	if text == "" || text[0] != '[' {
		return "", text, false
	}
	level := len(text[1:]) - len(strings.TrimLeft(text[1:], "="))
	open := 1 + level
	if open >= len(text) || text[open] != '[' {
		return "", text, false
	}
	content, rest, ok = strings.Cut(text[open+1:], "]"+strings.Repeat("=", level)+"]")
	return strings.TrimPrefix(content, "\n"), rest, ok
}
