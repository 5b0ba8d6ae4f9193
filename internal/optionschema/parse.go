package optionschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"

	"github.com/hatchery-spawn/hatchery/internal/option"
)

// maxText is the size of the largest schema, in bytes.
const maxText = 64 << 10

// A schema is the text.
type schema struct {
	Type                 string               `json:"type,omitempty"`
	Properties           map[string]*property `json:"properties"`
	Required             []string             `json:"required,omitempty"`
	AdditionalProperties *bool                `json:"additionalProperties,omitempty"`
}

// A property is an option, or what is said of one value of those of an array.
type property struct {
	Type        string          `json:"type,omitempty"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Examples    []any           `json:"examples,omitempty"`
	Enum        []any           `json:"enum,omitempty"`
	Format      string          `json:"format,omitempty"`
	Pattern     string          `json:"pattern,omitempty"`
	Minimum     *json.Number    `json:"minimum,omitempty"`
	Maximum     *json.Number    `json:"maximum,omitempty"`
	MinLength   *int            `json:"minLength,omitempty"`
	MaxLength   *int            `json:"maxLength,omitempty"`
	Items       *property       `json:"items,omitempty"`
}

// Parse reads a schema. The empty text is nil, which says nothing. The options are
// in the order of their names.
func Parse(text string) (*option.Table, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxText {
		return nil, fmt.Errorf("%d bytes: a schema has at most %d", len(text), maxText)
	}
	var raw schema
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	if raw.Type != "" && raw.Type != "object" {
		return nil, fmt.Errorf("type %q: want object, with a property for each option", raw.Type)
	}
	t := &option.Table{Open: raw.AdditionalProperties == nil || *raw.AdditionalProperties}
	for _, name := range slices.Sorted(maps.Keys(raw.Properties)) {
		p := raw.Properties[name]
		if p == nil {
			return nil, fmt.Errorf("properties.%s: null: want an object", name)
		}
		o, err := p.option(name)
		if err != nil {
			return nil, err
		}
		o.Required = slices.Contains(raw.Required, name)
		t.Options = append(t.Options, o)
	}
	for _, name := range raw.Required {
		if raw.Properties[name] == nil { // of any form
			t.Options = append(t.Options, option.Option{Name: name, Many: true, Required: true})
		}
	}
	return t, nil
}

// option returns what a property says.
func (p *property) option(name string) (o option.Option, err error) {
	o = option.Option{Name: name, About: p.Description, Many: p.Type == "array"}
	if json.Unmarshal(p.Default, &o.Default) != nil { // no text: as it is written
		o.Default = string(p.Default)
	}
	at := "properties." + name
	if !o.Many {
		o.Value, err = p.value(at)
		return o, err
	}
	if p.Items == nil {
		return o, nil
	}
	if p.Items.Type == "array" {
		return o, fmt.Errorf("%s.items.type: an array in an array: an option is given by one text", at)
	}
	o.Value, err = p.Items.value(at + ".items")
	return o, err
}

// value returns what is said of a value. at is the path of p, for errors.
func (p *property) value(at string) (v option.Value, err error) {
	v = option.Value{Title: p.Title, Words: texts(p.Enum), Examples: texts(p.Examples), Pattern: p.Pattern, MinLength: p.MinLength, MaxLength: p.MaxLength}
	switch t := option.Type(p.Type); t {
	case option.Integer, option.Number, option.Boolean:
		v.Type = t
	case "", "string":
	default:
		return v, fmt.Errorf("%s.type: %q: want string, integer, number, boolean or array", at, p.Type)
	}
	switch f := option.Format(p.Format); f {
	case option.Bytes, option.Duration:
		v.Format = f
	}
	// It is compiled when it is needed, which most never are.
	if _, err := syntax.Parse(p.Pattern, syntax.Perl); err != nil {
		return v, fmt.Errorf("%s.pattern: %w", at, err)
	}
	if v.Min, err = bound(p.Minimum, at+".minimum"); err != nil {
		return v, err
	}
	v.Max, err = bound(p.Maximum, at+".maximum")
	return v, err
}

func bound(n *json.Number, at string) (*float64, error) {
	if n == nil {
		return nil, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return &f, nil
}

func texts(values []any) (all []string) {
	for _, v := range values {
		all = append(all, fmt.Sprint(v))
	}
	return all
}
