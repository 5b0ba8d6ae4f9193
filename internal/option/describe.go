package option

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Describe returns a line for each option: its name, what it is for, and
// what its value is.
func (t *Table) Describe() []string {
	var lines []string
	for _, o := range t.Options {
		line := o.Name + "=" + strings.ToUpper(o.Value.word())
		if o.Many {
			line += " …"
		}
		about := o.Value.form()
		if o.About != "" {
			about = strings.TrimSuffix(o.About, ".") + ": " + about
		}
		if o.Default != "" {
			about += "; default " + o.Default
		}
		lines = append(lines, fmt.Sprintf("%-24s %s", line, about))
	}
	return lines
}

// word stands for a value.
func (v *Value) word() string {
	switch {
	case v.Format == Bytes:
		return "size"
	case v.Format == Duration:
		return "time"
	case v.Type == Integer || v.Type == Number:
		return "n"
	case v.Type == Boolean:
		return "bool"
	}
	return "value"
}

// form says in words what a value is.
func (v *Value) form() string {
	switch {
	case v.Title != "":
		return v.Title
	case v.Words != nil:
		return strings.Join(v.Words, " or ")
	case v.Format == Bytes:
		return "a size" + v.bounds() + ", as in 64m or 1g"
	case v.Format == Duration:
		return "a time" + v.bounds() + ", as in 10s or 1m30s"
	case v.Type == Boolean:
		return "true or false"
	case v.Type == Integer:
		return "an integer" + v.bounds()
	case v.Type == Number:
		return "a number" + v.bounds()
	case v.Pattern != "":
		return "text that matches " + v.Pattern
	}
	return "text"
}

func (v *Value) bounds() string {
	switch {
	case v.Min != nil && v.Max != nil:
		return fmt.Sprintf(" from %s to %s", v.amount(*v.Min), v.amount(*v.Max))
	case v.Min != nil:
		return fmt.Sprintf(" from %s on", v.amount(*v.Min))
	case v.Max != nil:
		return fmt.Sprintf(" up to %s", v.amount(*v.Max))
	}
	return ""
}

// amount writes a bound as a value may be written.
func (v *Value) amount(f float64) string {
	switch v.Format {
	case Bytes:
		n, unit := int64(f), ""
		for _, u := range []string{"k", "m", "g", "t"} {
			if n == 0 || n%1024 != 0 {
				break
			}
			n, unit = n/1024, u
		}
		return fmt.Sprint(n) + unit
	case Duration:
		return time.Duration(f * float64(time.Second)).String()
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
