// Package optionschema is the options of a method as a JSON Schema, which is how a
// plugin tells a host of them: see package option for what is made of it.
//
//	t, err := optionschema.Parse(`{"properties": {"nice": {"type": "integer", "maximum": 19}},
//		"additionalProperties": false}`)
//	err = t.Check([]spawn.Option{{Key: "nice", Value: "20"}, {Key: "ncie", Value: "1"}})
//	// nice=20: want at most 19; "ncie" is no option: did you mean "nice"?
//
// # What of JSON Schema counts
//
// The schema is an object with a property for each option. Options are text, so a
// property of type integer, number or boolean holds text that is one. One that is
// an array may be given more than once, and its items are what is checked. Of the
// keywords these count: type, enum, pattern, minimum, maximum, minLength,
// maxLength, items, properties, required, additionalProperties as a boolean, and for
// people title, description, default and examples. So do two formats of this
// package's own: bytes, for which 64m is a number, and duration, for which 1m30s is
// one of seconds. The others say nothing here: it is the backend that has the last
// word, and checks again.
package optionschema
