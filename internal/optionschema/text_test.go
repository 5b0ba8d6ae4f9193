package optionschema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/internal/option"
)

// TestTextIsReadAsTheTable: nothing that a table can say is lost.
func TestTextIsReadAsTheTable(t *testing.T) {
	least, most := 1, 9
	want := &option.Table{Options: []option.Option{
		{Name: "a", About: "what <it> is", Default: `"x" \`, Many: true, Value: option.Value{Title: "t", Pattern: `^[^\x00\\]+$`, MinLength: &least, MaxLength: &most}},
		{Name: "b", Required: true, Value: option.Value{Type: option.Integer, Min: option.Limit(0), Max: option.Limit(1 << 32)}},
		{Name: "c", Value: option.Value{Type: option.Number, Min: option.Limit(0.01)}},
		{Name: "d", Value: option.Value{Type: option.Boolean}},
		{Name: "e", Value: option.Value{Words: []string{"x", "y"}}},
		{Name: "f", Value: option.Value{Format: option.Bytes, Max: option.Limit(1 << 62), Examples: []string{"1m"}}},
		{Name: "g", Many: true},
	}}
	for _, open := range []bool{false, true} {
		want.Open = open
		got, err := Parse(Text(want))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
	}
}
