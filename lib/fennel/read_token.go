package fennel

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// symbolByte reports whether a symbol may contain b. It may contain every byte of 128 and
// above: names can be written in any script.
func symbolByte(b byte) bool {
	return b > 32 && b != 127 && strings.IndexByte("()[]{}\"';,`@~", b) < 0
}

// readToken reads a symbol, number, colon string or boolean.
func (r *reader) readToken() {
	at := r.here()
	start := r.pos
	end := start
	if strings.HasPrefix(r.text[start:], "~=") {
		end += 2
	}
	for end < len(r.text) && symbolByte(r.text[end]) {
		end++
	}
	if end == start {
		r.fail(at, "", "invalid character: %s", printableByte(r.text[start]))
		r.advance(1)
		return
	}
	token := r.text[start:end]
	r.advance(end - start)
	if n := r.token(token, at); n != nil {
		r.add(n)
	}
}

func printableByte(b byte) string {
	if b < 32 || b == 127 {
		return "\\" + strconv.Itoa(int(b))
	}
	return string(rune(b))
}

// token returns the node for a token, or nil after an error.
func (r *reader) token(token string, at Position) Node {
	switch {
	case token == "true" || token == "false":
		return &Bool{Position: at, Value: token == "true"}
	case token == "...":
		return &Vararg{Position: at}
	case len(token) > 1 && token[0] == ':':
		return &String{Position: at, Value: token[1:]}
	}
	if v, ok := parseNumber(token); ok {
		return &Number{Position: at, Value: v}
	}
	if token[0] >= '0' && token[0] <= '9' {
		r.fail(at, "a name cannot begin with a digit", "could not read number: %s", token)
		return nil
	}
	if r.malformed(token, at) {
		return nil
	}
	return &Symbol{Position: at, Name: token}
}

// malformed reports a malformed path, such as a..b, a:b.c or a: .
func (r *reader) malformed(token string, at Position) bool {
	if token == ".." || token == "$..." || token == ":" || strings.HasPrefix(token, ".") {
		return false
	}
	switch colon := strings.IndexByte(token, ':'); {
	case strings.Contains(token, "..") || strings.Contains(token, "::"),
		strings.Contains(token, ".:") || strings.Contains(token, ":."),
		strings.HasSuffix(token, ":"):
		r.fail(at, "", "malformed multisym: %s", token)
		return true
	case colon >= 0 && strings.ContainsAny(token[colon+1:], ".:"):
		r.fail(at, "only the last part can be a method", "method must be last component of multisym: %s", token)
		return true
	}
	return false
}

// parseNumber reads the numbers that Lua's tonumber accepts, except the words "inf" and
// "nan", on which C libraries differ. Underscores are ignored.
func parseNumber(token string) (float64, bool) {
	switch token {
	case ".inf", "+.inf":
		return math.Inf(1), true
	case "-.inf":
		return math.Inf(-1), true
	case ".nan":
		return math.NaN(), true
	case "-.nan":
		return -math.NaN(), true
	}
	if c := strings.TrimLeft(token, "+-."); c == "" || c[0] < '0' || c[0] > '9' {
		return 0, false
	}
	if n, err := strconv.Atoi(token); err == nil && n != 0 && n < 1<<53 {
		return float64(n), true
	}
	// The rest of Go's syntax is Lua's, except that Go requires an exponent after
	// hexadecimal digits.
	token = strings.ReplaceAll(token, "_", "")
	if digits := strings.TrimLeft(token, "+-"); strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		if !strings.ContainsAny(token, "pP") {
			token += "p0"
		}
	}
	v, err := strconv.ParseFloat(token, 64)
	// An overflow results in an infinity, as in Lua.
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}
