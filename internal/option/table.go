package option

import "math"

// A Table is the options of a method. The zero Table has none, and refuses any.
type Table struct {
	Options []Option
	// Open says that options which are not named are not mistakes.
	Open bool
}

// An Option is what is said of an option.
type Option struct {
	Name     string
	About    string // for people: what it is for
	Default  string // for people: what it is when it is not given
	Many     bool   // it may be given more than once
	Required bool
	Value    Value
}

// A Value says what the text of an option may be. The zero Value is any text.
type Value struct {
	// Title says in words what is wanted: it stands behind "want" in an error.
	// Empty makes something up from what follows.
	Title string

	// Type is Integer, Number, Boolean, or empty for text.
	Type Type

	// Format says that the text is a size or a time; empty is any.
	Format Format

	// Min and Max bound a number, as it is, in bytes, or in seconds; nil is no
	// bound.
	Min, Max *float64

	// Words, if there are any, are all that may be given.
	Words []string

	// Examples are values of which one may have been meant by what is none, as far
	// as the first colon.
	Examples []string

	// Pattern is a regular expression that is found in the text; empty is found
	// in any. It is of the syntax that package regexp and ECMA 262 share.
	Pattern string

	// MinLength and MaxLength bound the text, in characters; nil is no bound.
	MinLength, MaxLength *int
}

// A Type is what a text stands for.
type Type string

// The types of JSON Schema that an option can be of, which are those of a text.
const (
	Integer Type = "integer"
	Number  Type = "number"
	Boolean Type = "boolean"
)

// A Format is how a number is written with its unit.
type Format string

// The formats.
const (
	Bytes    Format = "bytes"    // 65536, 64k, 64m, 1g or 1t: see package bytesize
	Duration Format = "duration" // 1.5s or 1h30m: see time.ParseDuration
)

// Limit returns a bound of a Value.
func Limit(f float64) *float64 { return &f }

// Names returns the names of the options, in their order.
func (t *Table) Names() []string {
	var names []string
	for _, o := range t.Options {
		names = append(names, o.Name)
	}
	return names
}

// find returns the option of a name, or nil.
func (t *Table) find(name string) *Option {
	for i := range t.Options {
		if t.Options[i].Name == name {
			return &t.Options[i]
		}
	}
	return nil
}

// within reports whether a number is within the bounds. One that is none is not.
func (v *Value) within(f float64) bool {
	return !math.IsNaN(f) && !math.IsInf(f, 0) && (v.Min == nil || f >= *v.Min) && (v.Max == nil || f <= *v.Max)
}
