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

// fields is Facts without its methods.
type fields Facts

// jsonFacts is the JSON form of Facts. Its fields may contain any byte and replace the fields
// of Facts with the same names.
type jsonFacts struct {
	fields
	Repo          Text `json:"repo,omitempty"`
	GitDir        Text `json:"git-dir,omitempty"`
	Ref           Text `json:"ref,omitempty"`
	CommitMessage Text `json:"commit-message,omitempty"`
	Pusher        Text `json:"pusher,omitempty"`

	Vars         map[string]Text `json:"vars,omitempty"`
	FilesChanged []Text          `json:"files-changed,omitzero"`
}

// MarshalJSON writes the facts so that UnmarshalJSON reads names of any bytes, see Text.
func (f Facts) MarshalJSON() ([]byte, error) {
	j := jsonFacts{
		fields: fields(f), Repo: Text(f.Repo), GitDir: Text(f.GitDir), Ref: Text(f.Ref),
		CommitMessage: Text(f.CommitMessage), Pusher: Text(f.Pusher),
		FilesChanged: Texts[Text](f.FilesChanged), Vars: TextMap[Text](f.Vars),
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
	*f = Facts(j.fields)
	f.Repo, f.GitDir, f.Ref = string(j.Repo), string(j.GitDir), string(j.Ref)
	f.CommitMessage, f.Pusher = string(j.CommitMessage), string(j.Pusher)
	f.FilesChanged, f.Vars = Texts[string](j.FilesChanged), TextMap[string](j.Vars)
	return nil
}

// Text is a text of any bytes, such as the name of a file, that JSON keeps: each byte that
// is not UTF-8 is written as half of a surrogate pair, \udc80 to \udcff, as Python's
// surrogateescape does (PEP 383). Package json would write U+FFFD, and jobs would look for
// files and refs that do not exist.
type Text string

// Texts converts each text of a list. It returns nil if list is nil.
func Texts[To, From ~string](list []From) []To {
	if list == nil {
		return nil
	}
	texts := make([]To, len(list))
	for i, t := range list {
		texts[i] = To(t)
	}
	return texts
}

// TextMap converts each value of a map. It returns nil if m is nil.
func TextMap[To, From ~string](m map[string]From) map[string]To {
	if m == nil {
		return nil
	}
	texts := make(map[string]To, len(m))
	for name, t := range m {
		texts[name] = To(t)
	}
	return texts
}

// MarshalJSON writes the text as a string.
func (t Text) MarshalJSON() ([]byte, error) {
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

// UnmarshalJSON reads what MarshalJSON wrote, and any other string.
func (t *Text) UnmarshalJSON(data []byte) error {
	var b strings.Builder
	start := 0 // package json decodes data[start:i]
	flush := func(end int) error {
		var part string
		err := json.Unmarshal(fmt.Appendf(nil, `"%s"`, data[start:end]), &part)
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
			start = i + 1
		case isHighSurrogate(data[i:]):
			i += 11 // the pair is one character
		default:
			i++
		}
	}
	err := flush(len(data))
	*t = Text(b.String())
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
