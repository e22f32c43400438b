package web

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A page is what an answer has that a test looks at.
type page struct {
	code  int
	body  string
	links []string // of href and src
	ids   map[string]bool
	text  string // without markup
}

// inline are the elements that hold no blocks (HTML Living Standard, 4 and 3.2.5.2.5).
var inline = map[string]bool{"p": true, "span": true, "a": true, "code": true, "pre": true, "h1": true, "h2": true, "title": true, "summary": true}

// blocks are the elements that stand in none of them.
var blocks = map[string]bool{"p": true, "div": true, "table": true, "pre": true, "details": true, "h1": true, "h2": true, "dl": true, "main": true, "nav": true, "form": true}

// readPage checks that a page is nested as it should be, that no id is there twice, and
// that each link to a part of the page has its part.
func readPage(t *testing.T, name, body string) page {
	t.Helper()
	p := page{body: body, ids: map[string]bool{}}
	d := xml.NewDecoder(strings.NewReader(body))
	d.Entity = xml.HTMLEntity
	var open []string
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v\n%.3000s", name, err, body)
		}
		switch x := token.(type) {
		case xml.StartElement:
			tag := x.Name.Local
			for _, outer := range open {
				if blocks[tag] && inline[outer] || tag == outer && (tag == "a" || tag == "form") {
					t.Errorf("%s: <%s> in <%s>", name, tag, outer)
				}
			}
			open = append(open, tag)
			for _, a := range x.Attr {
				switch key := a.Name.Local; {
				case key == "id":
					if p.ids[a.Value] {
						t.Errorf("%s: the id %s is there twice", name, a.Value)
					}
					p.ids[a.Value] = true
				case key == "href", key == "src":
					p.links = append(p.links, a.Value)
				case key == "style", strings.HasPrefix(key, "on"):
					t.Errorf("%s: <%s> has the attribute %s", name, tag, key)
				}
			}
			if tag == "style" || tag == "script" && !strings.Contains(body, "live.js") {
				t.Errorf("%s: <%s>", name, tag)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			text.Write(x)
		}
	}
	p.text = text.String()
	for _, link := range p.links {
		if part, ok := strings.CutPrefix(link, "#"); ok && !p.ids[part] {
			t.Errorf("%s: no part %s", name, link)
		}
	}
	return p
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
