package push

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// plainFacts is Facts without its methods.
type plainFacts Facts

// jsonFacts is the JSON form of Facts: the fields that may have any byte take the place of
// those of plainFacts with the same name.
type jsonFacts struct {
	plainFacts
	Repo          anyText `json:"repo,omitempty"`
	GitDir        anyText `json:"git-dir,omitempty"`
	Ref           anyText `json:"ref,omitempty"`
	CommitMessage anyText `json:"commit-message,omitempty"`
	Pusher        anyText `json:"pusher,omitempty"`

	Vars         map[string]anyText `json:"vars,omitempty"`
	FilesChanged []anyText          `json:"files-changed,omitzero"`
}

// MarshalJSON writes each byte that is not UTF-8 as half of a surrogate pair, \udc80 to
// \udcff, as Python's surrogateescape does (PEP 383). Package json would write U+FFFD, and
// jobs would look for files and refs that do not exist.
func (f Facts) MarshalJSON() ([]byte, error) {
	j := jsonFacts{
		plainFacts: plainFacts(f), Repo: anyText(f.Repo), GitDir: anyText(f.GitDir), Ref: anyText(f.Ref),
		CommitMessage: anyText(f.CommitMessage), Pusher: anyText(f.Pusher),
	}
	if f.FilesChanged != nil {
		j.FilesChanged = make([]anyText, len(f.FilesChanged))
	}
	if f.Vars != nil {
		j.Vars = make(map[string]anyText, len(f.Vars))
	}
	for name, value := range f.Vars {
		j.Vars[name] = anyText(value)
	}
	for i, name := range f.FilesChanged {
		j.FilesChanged[i] = anyText(name)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes. A field that it does not know is an error.
func (f *Facts) UnmarshalJSON(data []byte) error {
	var j jsonFacts
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return err
	}
	*f = Facts(j.plainFacts)
	f.Repo, f.GitDir, f.Ref = string(j.Repo), string(j.GitDir), string(j.Ref)
	f.CommitMessage, f.Pusher = string(j.CommitMessage), string(j.Pusher)
	if j.FilesChanged != nil {
		f.FilesChanged = make([]string, len(j.FilesChanged))
	}
	if j.Vars != nil {
		f.Vars = make(map[string]string, len(j.Vars))
	}
	for name, value := range j.Vars {
		f.Vars[name] = string(value)
	}
	for i, name := range j.FilesChanged {
		f.FilesChanged[i] = string(name)
	}
	return nil
}

// anyText is a text of any bytes.
type anyText string

func (t anyText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	out := []byte{'"'}
	for rest := string(t); rest != ""; {
		valid := 0
		for valid < len(rest) {
			r, size := utf8.DecodeRuneInString(rest[valid:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			valid += size
		}
		part, err := json.Marshal(rest[:valid])
		if err != nil {
			return nil, err
		}
		out = append(out, part[1:len(part)-1]...)
		if rest = rest[valid:]; rest != "" {
			out = fmt.Appendf(out, `\udc%02x`, rest[0])
			rest = rest[1:]
		}
	}
	return append(out, '"'), nil
}

func (t *anyText) UnmarshalJSON(data []byte) error {
	var b strings.Builder
	plain := 0 // data[plain:i] is for package json
	flush := func(end int) error {
		var part string
		err := json.Unmarshal(fmt.Appendf(nil, `"%s"`, data[plain:end]), &part)
		b.WriteString(part)
		return err
	}
	if len(data) < 2 || data[0] != '"' {
		return errors.New("not a string")
	}
	data = data[1 : len(data)-1]
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		switch c, isByte := escapedByte(data[i:]); {
		case isByte:
			if err := flush(i); err != nil {
				return err
			}
			b.WriteByte(c)
			i += 5
			plain = i + 1
		case isHighSurrogate(data[i:]):
			i += 11 // the pair is one character
		default:
			i++
		}
	}
	err := flush(len(data))
	*t = anyText(b.String())
	return err
}

// escapedByte returns the byte that the escape at the beginning of data stands for, if it
// stands for one.
func escapedByte(data []byte) (c byte, ok bool) {
	if len(data) < 6 || !bytes.EqualFold(data[:4], []byte(`\udc`)) {
		return 0, false
	}
	code, err := hex.DecodeString(string(data[4:6]))
	if err != nil || code[0] < utf8.RuneSelf {
		return 0, false
	}
	return code[0], true
}

// isHighSurrogate reports whether data begins with the first escape of a surrogate pair.
func isHighSurrogate(data []byte) bool {
	return len(data) >= 12 && bytes.EqualFold(data[:3], []byte(`\ud`)) && bytes.IndexByte([]byte("89abAB"), data[3]) >= 0
}
