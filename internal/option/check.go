package option

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hatchery-spawn/hatchery/internal/bytesize"
	"github.com/hatchery-spawn/hatchery/internal/nearest"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxShown is how much of a value an error quotes, in bytes.
const maxShown = 80

// Check returns nil, or an error of kind spawn.ErrBadOption that names every
// mistake. It is an *spawn.Error without a method.
func (t *Table) Check(list []spawn.Option) error { return Error(t.Mistakes(list)) }

// Mistakes returns what is wrong with a list of options, a text for each. A table
// that is nil takes any.
func (t *Table) Mistakes(list []spawn.Option) []string {
	if t == nil {
		return nil
	}
	var wrong []string
	given, compiled := map[string]string{}, patterns{}
	for _, opt := range list {
		o := t.find(opt.Key)
		if o == nil {
			if !t.Open {
				wrong = append(wrong, t.unknown(opt.Key))
			}
			continue
		}
		if old, twice := given[opt.Key]; twice && !o.Many && old != opt.Value {
			wrong = append(wrong, fmt.Sprintf("%s is given twice, as %q and %q: want one", opt.Key, short(old), short(opt.Value)))
		}
		given[opt.Key] = opt.Value
		if why := o.Value.mistake(opt.Value, compiled); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s=%s: %s", opt.Key, short(opt.Value), why))
		}
	}
	for _, o := range t.Options {
		if _, ok := given[o.Name]; o.Required && !ok {
			wrong = append(wrong, fmt.Sprintf("%s is missing: it has to be given", o.Name))
		}
	}
	return wrong
}

// maxMistakes is how many mistakes an error names.
const maxMistakes = 20

// Error returns an error of kind spawn.ErrBadOption that names mistakes, or nil when
// there are none. It is an *spawn.Error without a method.
func Error(mistakes []string) error {
	if len(mistakes) == 0 {
		return nil
	}
	if more := len(mistakes) - maxMistakes; more > 0 {
		mistakes = append(mistakes[:maxMistakes:maxMistakes], fmt.Sprintf("and %d mistakes more", more))
	}
	return &spawn.Error{Kind: spawn.ErrBadOption, Msg: strings.Join(mistakes, "; ")}
}

// unknown says that there is no option of that name, and which was meant.
func (t *Table) unknown(key string) string {
	names := t.Names()
	if near, ok := nearest.Of(key, names); ok {
		return fmt.Sprintf("%q is no option: did you mean %q?", short(key), near)
	}
	if len(names) == 0 {
		return fmt.Sprintf("%q is no option: there are none", short(key))
	}
	return fmt.Sprintf("%q is no option: want one of %s", short(key), strings.Join(names, ", "))
}

// patterns are those that were compiled, which takes longer than all else here.
type patterns map[string]*regexp.Regexp

// match reports whether a pattern is found in a text. One that is none is not.
func (p patterns) match(pattern, text string) bool {
	re, ok := p[pattern]
	if !ok {
		re, _ = regexp.Compile(pattern)
		p[pattern] = re
	}
	return re != nil && re.MatchString(text)
}

// mistake says what is wrong with a value and what would be right, or nothing.
func (v *Value) mistake(text string, compiled patterns) string {
	why := v.wrong(text, compiled)
	if why == "" {
		return ""
	}
	if near, ok := v.near(text); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if v.Title != "" {
		return "want " + v.Title
	}
	return why
}

// near returns the word that was most likely meant, or what stands before the first
// colon of an example.
func (v *Value) near(text string) (string, bool) {
	if near, ok := nearest.Of(text, v.Words); ok {
		return near, true
	}
	var heads []string
	for _, e := range v.Examples {
		head, _, _ := strings.Cut(e, ":")
		heads = append(heads, head)
	}
	head, _, _ := strings.Cut(text, ":")
	near, ok := nearest.Of(head, heads)
	return near, ok && near != head
}

// wrong is mistake without help.
func (v *Value) wrong(text string, compiled patterns) string {
	if v.Words != nil && !slices.Contains(v.Words, text) {
		return "want one of " + strings.Join(v.Words, ", ")
	}
	if v.Pattern != "" {
		if !compiled.match(v.Pattern, text) {
			return fmt.Sprintf("it does not match %q", v.Pattern)
		}
	}
	n := utf8.RuneCountInString(text)
	switch {
	case v.MinLength != nil && n < *v.MinLength:
		return fmt.Sprintf("want at least %d characters", *v.MinLength)
	case v.MaxLength != nil && n > *v.MaxLength:
		return fmt.Sprintf("want at most %d characters", *v.MaxLength)
	case v.Type == Boolean && text != "true" && text != "false":
		return "want true or false"
	}
	f, is, err := v.number(text)
	switch {
	case !is:
		return ""
	case err != nil:
		return "want " + v.form()
	case v.within(f):
		return ""
	case v.Min != nil && f < *v.Min:
		return "want at least " + v.amount(*v.Min)
	case v.Max != nil && f > *v.Max:
		return "want at most " + v.amount(*v.Max)
	}
	return "want " + v.form()
}

// number returns the number that a text is, if it is to be one.
func (v *Value) number(text string) (f float64, is bool, err error) {
	var n int64
	switch {
	case v.Format == Bytes:
		n, err = bytesize.Parse(text)
	case v.Format == Duration:
		var d time.Duration
		d, err = time.ParseDuration(text)
		return d.Seconds(), true, err
	case v.Type == Integer:
		n, err = strconv.ParseInt(text, 10, 64)
	case v.Type == Number:
		f, err = strconv.ParseFloat(text, 64)
		return f, true, err
	default:
		return 0, false, nil
	}
	return float64(n), true, err
}

// short shortens what is quoted.
func short(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}
