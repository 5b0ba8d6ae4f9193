package optionschema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/internal/nearest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxShown is how much of a value an error quotes, in bytes, and maxMistakes how
// many mistakes it names.
const (
	maxShown    = 80
	maxMistakes = 20
)

// Check returns nil, or an error of kind spawn.ErrBadOption that names every
// mistake. It is an *spawn.Error without a method.
func (s *Schema) Check(list []spawn.Option) error {
	if s == nil {
		return nil
	}
	var wrong []string
	given := map[string]string{}
	for _, opt := range list {
		o := s.options[opt.Key]
		if o == nil {
			if !s.open {
				wrong = append(wrong, s.unknown(opt.Key))
			}
			continue
		}
		if old, twice := given[opt.Key]; twice && !o.repeats() && old != opt.Value {
			wrong = append(wrong, fmt.Sprintf("%s is given twice, as %q and %q: want one", opt.Key, short(old), short(opt.Value)))
		}
		given[opt.Key] = opt.Value
		if why := o.value().mistake(opt.Value); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s=%s: %s", opt.Key, short(opt.Value), why))
		}
	}
	for _, name := range s.required {
		if _, ok := given[name]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s is missing: it has to be given", name))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	if more := len(wrong) - maxMistakes; more > 0 {
		wrong = append(wrong[:maxMistakes], fmt.Sprintf("and %d mistakes more", more))
	}
	return &spawn.Error{Kind: spawn.ErrBadOption, Msg: strings.Join(wrong, "; ")}
}

// unknown says that there is no option of that name, and which was meant.
func (s *Schema) unknown(key string) string {
	if near, ok := nearest.Of(key, s.names); ok {
		return fmt.Sprintf("%q is no option: did you mean %q?", short(key), near)
	}
	if len(s.names) == 0 {
		return fmt.Sprintf("%q is no option: there are none", short(key))
	}
	return fmt.Sprintf("%q is no option: want one of %s", short(key), strings.Join(s.names, ", "))
}

// mistake says what is wrong with a value and what would be right, or nothing.
func (o *option) mistake(v string) string {
	if o.words != nil && !slices.Contains(o.words, v) {
		if near, ok := nearest.Of(v, o.words); ok {
			return fmt.Sprintf("did you mean %q?", near)
		}
		return "want one of " + strings.Join(o.words, ", ")
	}
	if o.pattern != nil && !o.pattern.MatchString(v) {
		return fmt.Sprintf("it does not match %q", o.Pattern)
	}
	n := utf8.RuneCountInString(v)
	switch {
	case o.MinLength != nil && n < *o.MinLength:
		return fmt.Sprintf("want at least %d characters", *o.MinLength)
	case o.MaxLength != nil && n > *o.MaxLength:
		return fmt.Sprintf("want at most %d characters", *o.MaxLength)
	}
	return o.mistyped(v)
}

// mistyped is mistake for what is no text.
func (o *option) mistyped(v string) string {
	var f float64
	var err error
	switch o.Type {
	case "boolean":
		if v != "true" && v != "false" {
			return "want true or false"
		}
		return ""
	case "integer":
		var n int64
		n, err = strconv.ParseInt(v, 10, 64)
		f = float64(n)
	case "number":
		f, err = strconv.ParseFloat(v, 64)
	default:
		return ""
	}
	switch {
	case err != nil:
		return "want " + o.form()
	case o.min != nil && f < *o.min:
		return fmt.Sprintf("want at least %v", *o.Minimum)
	case o.max != nil && f > *o.max:
		return fmt.Sprintf("want at most %v", *o.Maximum)
	}
	return ""
}

// short shortens what is quoted.
func short(s string) string {
	if len(s) > maxShown {
		return s[:maxShown] + "…"
	}
	return s
}
