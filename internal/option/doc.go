// Package option says which options a method has, and checks those of a Spec
// against it, so that a caller learns of all mistakes at once.
//
//	options := option.Table{Options: []option.Option{
//		{Name: "nice", Value: option.Value{Type: option.Integer, Max: 19}},
//		{Name: "cache", Value: option.Value{Title: "a size, as in 64m", Format: option.Bytes}},
//	}}
//	err := options.Check([]spawn.Option{{Key: "nice", Value: "20"}, {Key: "ncie", Value: "1"}})
//	// nice=20: want at most 19; "ncie" is no option: did you mean "nice"?
//
// A table is what a backend checks with, and its Schema what a host does, which reads
// it by package optionschema: both say the same, as there is one description and one
// that checks.
//
// What it does not know is what options have to do with each other, and with the
// machine. A backend checks that behind it.
package option
