package config

import (
	"fmt"
	"strings"
)

// RunURL returns the address of the page of a run, "" if the settings url and web give it
// none.
func (s Settings) RunURL(repo, id string) string {
	if s.URL == "" || !s.Web {
		return ""
	}
	return s.URL + "/" + EscapePath(repo) + "/" + id
}

// EscapePath escapes the bytes of a path that may have a meaning in a URL, except slashes
// (RFC 3986, 2.3). Package net/url would make every command start more slowly.
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
