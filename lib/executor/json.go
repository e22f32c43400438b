package executor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeData decodes JSON. It loses nothing silently: bytes that are not UTF-8 are an
// error, and so is a null in an array, because Lua's # would not count it.
func decodeData(data []byte) (value, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("is not UTF-8")
	}
	data, marker, err := markBytes(data)
	if err != nil {
		return nil, err
	}
	var v value
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	return decoder{marker}.value(v)
}

// A decoder converts the values of package json to data.
type decoder struct{ marker string }

func (d decoder) value(v value) (value, error) {
	switch v := v.(type) {
	case string:
		return d.text(v), nil
	case []value:
		for i, item := range v {
			if item == nil {
				return nil, errors.New("an array holds null")
			}
			var err error
			if v[i], err = d.value(item); err != nil {
				return nil, err
			}
		}
	case map[string]value:
		o := object{}
		for key, item := range v {
			item, err := d.value(item)
			if err != nil {
				return nil, err
			}
			o = append(o, entry{d.text(key), item})
		}
		slices.SortFunc(o, compareKeys)
		return o, nil
	}
	return v, nil
}

// text replaces each marker and the two digits after it by the byte they encode.
func (d decoder) text(s string) string {
	if d.marker == "" {
		return s
	}
	parts := strings.Split(s, d.marker)
	for i, part := range parts[1:] {
		c, _ := hex.DecodeString(part[:2])
		parts[i+1] = string(c) + part[2:]
	}
	return strings.Join(parts, "")
}

// markBytes replaces the escapes that an escaper writes for single bytes, which package json
// would decode as U+FFFD, by the marker and two hexadecimal digits. The marker is "" if data
// has no such escapes or contains every possible marker. Other halves of surrogate pairs
// are an error.
func markBytes(data []byte) (out []byte, marker string, err error) {
	if !bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
		return data, "", nil
	}
	for r := rune(0xfdd0); r <= 0xfdef && marker == ""; r++ { // Unicode's noncharacters
		if !bytes.ContainsRune(data, r) && !bytes.Contains(bytes.ToLower(data), fmt.Appendf(nil, `\u%04x`, r)) {
			marker = string(r)
		}
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' || i+1 == len(data) {
			out = append(out, data[i])
			continue
		}
		size := 2
		switch r := escaped(data[i:]); {
		case !utf16.IsSurrogate(r):
		case utf16.DecodeRune(r, escaped(data[i+6:])) != utf8.RuneError:
			size = 12
		case r >= 0xdc80 && r <= 0xdcff && marker != "":
			out = fmt.Appendf(out, "%s%02x", marker, r&0xff)
			i += 5
			continue
		default:
			return nil, "", errors.New("a text holds half of a surrogate pair")
		}
		out = append(out, data[i:min(i+size, len(data))]...)
		i += size - 1
	}
	return out, marker, nil
}

// escaped returns the rune of an escape \uXXXX at the beginning of data, or 0.
func escaped(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
