package config

import (
	"fmt"
	"strings"
)

// RunURL returns the address of the page of a run of a repository by the settings url and
// web, "" if there is none.
func (s Settings) RunURL(repo, id string) string {
	if s.URL == "" || !s.Web {
		return ""
	}
	return s.URL + "/" + EscapePath(repo) + "/" + id
}

// EscapePath returns a path with each byte escaped that may have a meaning in a URL (RFC
// 3986, 2.3). Slashes stay. Package net/url would cost every command a part of its start.
func EscapePath(path string) string {
	var out strings.Builder
	for _, c := range []byte(path) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
