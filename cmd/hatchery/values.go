package main

import (
	"errors"
	"time"

	"github.com/spf13/pflag"
)

// A limit is the value of a flag that takes a time.
type limit struct {
	value time.Duration
	given bool
}

var _ pflag.Value = (*limit)(nil)

// Set takes a time as package time writes it, not below zero.
func (l *limit) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("want a time with its unit, like 500ms, 30s or 1m30s")
	}
	if d < 0 {
		return errors.New("want a time that is not below zero")
	}
	l.value, l.given = d, true
	return nil
}

// String returns what was given, or nothing.
func (l *limit) String() string {
	if !l.given {
		return ""
	}
	return l.value.String()
}

// Type returns the word that help shows for the value.
func (l *limit) Type() string { return "TIME" }

// orDefault returns the time for package host, where zero is the default: a
// zero that was given is the least time there is.
func (l *limit) orDefault() time.Duration {
	if l.given && l.value == 0 {
		return 1
	}
	return l.value
}
