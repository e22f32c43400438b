package web

import (
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// A page is what tests check of an answer.
type page struct {
	code  int
	body  string
	links []string // of href and src
	ids   map[string]bool
	text  string // without markup
}

// voids are the elements without an end tag (HTML Living Standard, 13.1.2) that pages use.
var voids = []string{"br", "input", "link", "meta"}

// inline are elements that cannot contain blocks (HTML Living Standard, 4 and 3.2.5.2.5).
var inline = []string{"p", "span", "a", "code", "pre", "h1", "h2", "title", "summary"}

var blocks = []string{"p", "div", "table", "pre", "details", "h1", "h2", "dl", "main", "nav", "form"}

// readPage checks that a page is nested correctly, that no id occurs twice, and that each
// link to a part of the page has its part.
func readPage(t *testing.T, name, body string) page {
	t.Helper()
	p := page{body: body, ids: map[string]bool{}}
	var open, written []string
	var words strings.Builder
	z := html.NewTokenizer(strings.NewReader(body))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		tag := token.Data
		switch token.Type {
		case html.StartTagToken, html.SelfClosingTagToken:
			p.read(t, name, token)
			for _, outer := range open {
				if slices.Contains(inline, outer) && slices.Contains(blocks, tag) {
					t.Errorf("%s: <%s> in <%s>", name, tag, outer)
				}
			}
			written = append(written, strings.Join(append(open[:len(open):len(open)], tag), " "))
			isVoid := slices.Contains(voids, tag)
			if token.Type == html.StartTagToken && !isVoid {
				open = append(open, tag)
			} else if !isVoid && !slices.Contains(open, "svg") {
				t.Errorf("%s: <%s/> does not end the element", name, tag)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tag {
				t.Fatalf("%s: </%s> in %v\n%.3000s", name, tag, open, body)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			words.WriteString(token.Data)
		}
	}
	if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
		t.Fatalf("%s: ends in %v: %v", name, open, z.Err())
	}
	// A parser moves elements that are nested wrongly, as a browser does.
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data != "tbody" {
			path := n.Data
			for outer := range n.Ancestors() {
				if outer.Type == html.ElementNode {
					path = outer.Data + " " + path
				}
			}
			parsed = append(parsed, path)
		}
	}
	written = slices.DeleteFunc(written, func(path string) bool { return strings.HasSuffix(path, " tbody") })
	for i := range written {
		written[i] = strings.ReplaceAll(written[i], " table tr", " table tbody tr") // the parser adds tbody
	}
	if diff := cmp.Diff(written, parsed); diff != "" {
		t.Errorf("%s: a parser repairs the nesting (-written +parsed):\n%s", name, diff)
	}
	p.text = words.String()
	for _, link := range p.links {
		if part, ok := strings.CutPrefix(link, "#"); ok && !p.ids[part] {
			t.Errorf("%s: no part %s", name, link)
		}
	}
	return p
}

// read checks the attributes of an element, and keeps its id and links.
func (p *page) read(t *testing.T, name string, token html.Token) {
	t.Helper()
	for _, a := range token.Attr {
		switch {
		case a.Key == "id":
			if p.ids[a.Val] {
				t.Errorf("%s: the id %s occurs twice", name, a.Val)
			}
			p.ids[a.Val] = true
		case a.Key == "href", a.Key == "src":
			p.links = append(p.links, a.Val)
		case a.Key == "style", strings.HasPrefix(a.Key, "on"):
			t.Errorf("%s: <%s> has the attribute %s", name, token.Data, a.Key)
		}
	}
	if token.Data == "style" || token.Data == "script" && !strings.Contains(p.body, "live.js") {
		t.Errorf("%s: <%s>", name, token.Data)
	}
}

// get asks a handler for a page, and checks it if it is one.
func get(t *testing.T, h *Handler, address string) page {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	p := page{body: w.Body.String()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		p = readPage(t, address, p.body)
	}
	p.code = w.Code
	return p
}

// crawl gets a page and all that it leads to, and returns the pages by their addresses.
func crawl(t *testing.T, h *Handler) map[string]page {
	t.Helper()
	pages := map[string]page{}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		if _, seen := pages[queue[0]]; seen {
			continue
		}
		p := get(t, h, queue[0])
		pages[queue[0]] = p
		if p.code != 200 {
			t.Errorf("%s: status %d", queue[0], p.code)
		}
		from, err := url.Parse(queue[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range p.links {
			to, err := from.Parse(link)
			if err != nil || to.Host != "" {
				t.Errorf("%s leads to %s: %v", queue[0], link, err)
				continue
			}
			to.Fragment = ""
			queue = append(queue, to.String())
		}
	}
	return pages
}
