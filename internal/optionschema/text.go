package optionschema

import (
	"encoding/json"
	"strconv"

	"github.com/hatchery-spawn/hatchery/internal/option"
)

// Text returns the schema that is read as a table, but for the order of its options:
// the text of a file, for people to read.
func Text(t *option.Table) string {
	s := schema{Type: "object", Properties: map[string]*property{}, AdditionalProperties: &t.Open}
	for _, o := range t.Options {
		p := newProperty(o.Value)
		if o.Many {
			p = &property{Type: "array", Items: p}
		}
		p.Description = o.About
		if o.Default != "" {
			p.Default, _ = json.Marshal(o.Default) // a string always can
		}
		if o.Required {
			s.Required = append(s.Required, o.Name)
		}
		s.Properties[o.Name] = p
	}
	text, _ := json.MarshalIndent(&s, "", "\t") // of strings and numbers that are finite
	return string(text) + "\n"
}

func newProperty(v option.Value) *property {
	p := &property{
		Type: string(v.Type), Title: v.Title, Format: string(v.Format), Pattern: v.Pattern,
		Enum: values(v.Words), Examples: values(v.Examples), MinLength: v.MinLength, MaxLength: v.MaxLength,
	}
	if p.Type == "" {
		p.Type = "string"
	}
	p.Minimum, p.Maximum = number(v.Min), number(v.Max)
	return p
}

func number(f *float64) *json.Number {
	if f == nil {
		return nil
	}
	n := json.Number(strconv.FormatFloat(*f, 'f', -1, 64))
	return &n
}

func values(texts []string) (all []any) {
	for _, t := range texts {
		all = append(all, t)
	}
	return all
}
