package optionschema

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxText is the size of the largest schema, in bytes.
const maxText = 64 << 10

// A Schema says which options a method has. Nil says nothing, and takes any.
type Schema struct {
	names    []string // sorted
	options  map[string]*option
	required []string
	open     bool // options that are not named are not mistakes
}

// An option is one property.
type option struct {
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Default     json.RawMessage `json:"default"`
	Enum        []any           `json:"enum"`
	Pattern     string          `json:"pattern"`
	Minimum     *json.Number    `json:"minimum"`
	Maximum     *json.Number    `json:"maximum"`
	MinLength   *int            `json:"minLength"`
	MaxLength   *int            `json:"maxLength"`
	Items       *option         `json:"items"`

	pattern  *regexp.Regexp
	min, max *float64
	words    []string // Enum, as text
}

// Parse reads a schema. The empty text is nil, which says nothing.
func Parse(text string) (*Schema, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxText {
		return nil, fmt.Errorf("%d bytes: a schema has at most %d", len(text), maxText)
	}
	var raw struct {
		Type                 string             `json:"type"`
		Properties           map[string]*option `json:"properties"`
		Required             []string           `json:"required"`
		AdditionalProperties *bool              `json:"additionalProperties"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	if raw.Type != "" && raw.Type != "object" {
		return nil, fmt.Errorf("type %q: want object, with a property for each option", raw.Type)
	}
	s := &Schema{options: raw.Properties, required: raw.Required, open: raw.AdditionalProperties == nil || *raw.AdditionalProperties}
	for name, o := range raw.Properties {
		if o == nil {
			return nil, fmt.Errorf("properties.%s: null: want an object", name)
		}
		if err := o.complete("properties." + name); err != nil {
			return nil, err
		}
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	return s, nil
}

// complete prepares what is checked. at is the path of o, for errors.
func (o *option) complete(at string) (err error) {
	if !slices.Contains([]string{"", "string", "integer", "number", "boolean", "array"}, o.Type) {
		return fmt.Errorf("%s.type: %q: want string, integer, number, boolean or array", at, o.Type)
	}
	if o.Pattern != "" {
		if o.pattern, err = regexp.Compile(o.Pattern); err != nil {
			return fmt.Errorf("%s.pattern: %w", at, err)
		}
	}
	for _, b := range []struct {
		name string
		text *json.Number
		to   **float64
	}{{"minimum", o.Minimum, &o.min}, {"maximum", o.Maximum, &o.max}} {
		if b.text == nil {
			continue
		}
		f, err := b.text.Float64()
		if err != nil {
			return fmt.Errorf("%s.%s: %w", at, b.name, err)
		}
		*b.to = &f
	}
	for _, e := range o.Enum {
		o.words = append(o.words, strings.Trim(fmt.Sprint(e), "\""))
	}
	if o.Items != nil {
		if o.Items.Type == "array" {
			return fmt.Errorf("%s.items.type: an array in an array: an option is given by one text", at)
		}
		return o.Items.complete(at + ".items")
	}
	if o.Type == "array" {
		o.Items = new(option)
	}
	return nil
}

// repeats reports whether the option may be given more than once.
func (o *option) repeats() bool { return o.Type == "array" }

// value returns what is said of one value of the option.
func (o *option) value() *option {
	if o.repeats() {
		return o.Items
	}
	return o
}
