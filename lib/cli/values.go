package cli

import (
	"errors"
	"flag"
	"strconv"
	"time"

	"quire/lib/unit"
)

// DurationVar defines an option whose value is a duration for unit.ParseDuration, such as
// 90s or 7d.
func DurationVar(fs *flag.FlagSet, p *time.Duration, name string, value time.Duration) {
	*p = value
	fs.Var((*duration)(p), name, "")
}

// Duration is DurationVar for a new variable.
func Duration(fs *flag.FlagSet, name string, value time.Duration) *time.Duration {
	p := new(time.Duration)
	DurationVar(fs, p, name, value)
	return p
}

type duration time.Duration

func (d *duration) String() string { return time.Duration(*d).String() }

func (d *duration) Set(s string) error {
	v, err := unit.ParseDuration(s)
	if err == nil {
		*d = duration(v)
	}
	return err
}

// CountVar defines an option whose value is a whole number, 0 or more.
func CountVar(fs *flag.FlagSet, p *int, name string, value int) {
	*p = value
	fs.Var((*count)(p), name, "")
}

// Count is CountVar for a new variable.
func Count(fs *flag.FlagSet, name string, value int) *int {
	p := new(int)
	CountVar(fs, p, name, value)
	return p
}

type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }

func (c *count) Set(s string) error {
	n, err := strconv.Atoi(s)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errors.New("out of range")
	case err != nil:
		return errors.New("not a whole number")
	case n < 0:
		return errors.New("negative")
	}
	*c = count(n)
	return nil
}
