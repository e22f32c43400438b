package workspace

import (
	"bytes"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/git"
)

const (
	attributeFile = ".gitattributes"
	// maxAttributes is the longest attribute file that is looked at, in bytes. Any
	// file may be meant by a longer one.
	maxAttributes = 1 << 20
)

// patterns are those of lines that may change contents at a checkout. They are
// looked at only as closely as is needed to never miss a file: a file too many
// costs time, and nothing else.
type patterns struct {
	any       bool     // every file may be meant
	suffixes  []string // ends of names, in lower case
	encodings bool     // some may have another encoding
}

// match reports whether the file called name, in any directory, may be meant.
func (p *patterns) match(name string) bool {
	if p.any {
		return true
	}
	if len(p.suffixes) == 0 {
		return false
	}
	name = strings.ToLower(name) // core.ignoreCase makes patterns match so
	for _, suffix := range p.suffixes {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// attributePatterns collects the patterns of all attribute files that apply.
func (m *materializer) attributePatterns() (*patterns, error) {
	p := &patterns{}
	for _, name := range m.attributeFiles() {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // git passes over what it cannot read, too
		}
		if err := p.add(text, m.filterMatters); err != nil {
			return nil, err
		}
	}
	var oids []string
	for _, f := range m.plan.files {
		if f.name == attributeFile && f.mode != git.ModeLink {
			oids = append(oids, f.oid)
		}
	}
	err := m.objects.ReadAll(oids, func(_ int, in git.Info, body io.Reader) error {
		if in.Size > maxAttributes {
			p.any, p.encodings = true, true
			return nil
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return p.add(text, m.filterMatters)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

const encodingWord = "working-tree-encoding"

// changingWords are in each attribute that changes contents, but for filters.
var changingWords = []string{"ident", "crlf", encodingWord}

// filters yields the names of the filters that a line of attributes sets.
func filters(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, rest, found := strings.Cut(line, "filter=")
			if !found {
				return
			}
			end := strings.IndexAny(rest+" ", " \t\r\n")
			if end > 0 && !yield(rest[:end]) {
				return
			}
			line = rest[end:]
		}
	}
}

// simpleSuffix returns what a path has to end in for pattern to match it, where that
// can be told: behind stars, slashes and question marks there are characters that
// stand for themselves.
func simpleSuffix(pattern string) (suffix string, ok bool) {
	suffix = pattern[strings.LastIndexAny(pattern, "*?/")+1:]
	return suffix, suffix != "" && !strings.ContainsAny(pattern, `"\[`)
}

// add takes over the lines of an attribute file that may change contents.
// filterMatters tells whether files of a filter are of interest.
func (p *patterns) add(text []byte, filterMatters func(string) (bool, error)) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		changes := slices.ContainsFunc(changingWords, func(word string) bool { return bytes.Contains(line, []byte(word)) })
		p.encodings = p.encodings || bytes.Contains(line, []byte(encodingWord))
		for filter := range filters(string(line)) {
			matters, err := filterMatters(filter)
			if err != nil {
				return err
			}
			changes = changes || matters
		}
		if !changes {
			continue
		}
		pattern, _, _ := strings.Cut(strings.ReplaceAll(string(line), "\t", " "), " ")
		// A macro, [attr]name, may be used by any other line.
		suffix, simple := simpleSuffix(pattern)
		if !simple || strings.HasPrefix(pattern, "[attr]") {
			p.any = true
			continue
		}
		p.suffixes = append(p.suffixes, strings.ToLower(suffix))
	}
	return nil
}

// attributeFiles returns where git looks for attributes outside of the tree, see
// gitattributes(5). The system's file is where git was built to have it.
func (m *materializer) attributeFiles() []string {
	files := []string{filepath.Join(m.repo.CommonDir(), "info/attributes"), "/etc/gitattributes"}
	if program, err := exec.LookPath("git"); err == nil {
		files = append(files, filepath.Join(filepath.Dir(program), "../etc/gitattributes"))
	}
	home := os.Getenv("HOME")
	if own, ok, err := m.repo.Config("core.attributesFile"); err == nil && ok {
		if rest, ok := strings.CutPrefix(own, "~/"); ok {
			own = filepath.Join(home, rest)
		}
		return append(files, own)
	}
	if xdg := os.Getenv("XDG_CONFIG_HOME"); xdg != "" {
		return append(files, filepath.Join(xdg, "git/attributes"))
	}
	return append(files, filepath.Join(home, ".config/git/attributes"))
}
