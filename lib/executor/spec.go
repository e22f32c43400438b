package executor

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A Spec is what one program tells another of a run that the other is to execute:
// what `quire-ci launch` puts into the file that `quire-ci run --facts` reads.
type Spec struct {
	Facts   Facts                      `json:"facts"`
	Env     []string                   `json:"env,omitempty"`     // names of variables that jobs get besides the usual ones
	Timeout Duration                   `json:"timeout,omitempty"` // of the run; 0: none
	Grace   Duration                   `json:"grace,omitempty"`   // between TERM and KILL; 0: the default
	Done    map[string]json.RawMessage `json:"done,omitempty"`    // see Options
}

// A Duration is a time.Duration that is a string such as "1m30s" in JSON.
type Duration time.Duration

// MarshalText returns the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText parses what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// WriteSpec writes s to w as one line of JSON.
func WriteSpec(w io.Writer, s Spec) error {
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("cannot write facts: %w", err)
	}
	return nil
}

// ReadSpec reads what WriteSpec wrote. A field that it does not know is an error:
// the two programs are of different versions.
func ReadSpec(r io.Reader) (Spec, error) {
	var s Spec
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Spec{}, fmt.Errorf("cannot read facts: %w", err)
	}
	return s, nil
}

// WriteSecrets writes secrets, a map of names to values, as the JSON object that
// ReadSecrets reads.
func WriteSecrets(w io.Writer, secrets map[string]string) error {
	return json.NewEncoder(w).Encode(secrets)
}

// ReadSecrets reads a JSON object of names and values. Its errors do not show
// what was read.
func ReadSecrets(r io.Reader) (map[string]string, error) {
	secrets := map[string]string{}
	if err := json.NewDecoder(r).Decode(&secrets); err != nil {
		return nil, fmt.Errorf("cannot read secrets: not a JSON object of strings")
	}
	return secrets, nil
}
