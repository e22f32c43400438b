package main

import (
	"errors"
	"fmt"
	"strings"
)

// A list is an option that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// vars are options of the form NAME=VALUE.
type vars map[string]string

func (v vars) String() string { return fmt.Sprint(map[string]string(v)) }

func (v vars) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("not of the form NAME=VALUE")
	}
	v[name] = value
	return nil
}
