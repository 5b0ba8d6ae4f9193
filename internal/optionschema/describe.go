package optionschema

import (
	"fmt"
	"strings"
)

// Describe returns a line for each option: its name, what its value is, and what
// it is for.
func (s *Schema) Describe() []string {
	if s == nil {
		return nil
	}
	var lines []string
	for _, name := range s.names {
		o := s.options[name]
		line := name + "=" + strings.ToUpper(o.value().word())
		if o.repeats() {
			line += " …"
		}
		about := []string{o.value().form()}
		if o.Description != "" {
			about = append(about, strings.TrimSuffix(o.Description, "."))
		}
		if len(o.Default) > 0 {
			about = append(about, "default "+strings.Trim(string(o.Default), `"`))
		}
		lines = append(lines, fmt.Sprintf("%-24s %s", line, strings.Join(about, "; ")))
	}
	return lines
}

// word stands for a value.
func (o *option) word() string {
	switch o.Type {
	case "integer", "number":
		return "n"
	case "boolean":
		return "bool"
	}
	return "value"
}

// form says in words what a value is.
func (o *option) form() string {
	switch {
	case o.words != nil:
		return strings.Join(o.words, " or ")
	case o.Type == "boolean":
		return "true or false"
	case o.Type == "integer" || o.Type == "number":
		return map[string]string{"integer": "an integer", "number": "a number"}[o.Type] + o.bounds()
	case o.Pattern != "":
		return "text that matches " + o.Pattern
	}
	return "text"
}

func (o *option) bounds() string {
	switch {
	case o.Minimum != nil && o.Maximum != nil:
		return fmt.Sprintf(" from %v to %v", *o.Minimum, *o.Maximum)
	case o.Minimum != nil:
		return fmt.Sprintf(" from %v on", *o.Minimum)
	case o.Maximum != nil:
		return fmt.Sprintf(" up to %v", *o.Maximum)
	}
	return ""
}
