// Package optionschema checks the options of a Spec against what a method says of
// them, a JSON Schema, so that a caller learns of all mistakes at once and before
// anything is started.
//
//	s, err := optionschema.Parse(`{"properties": {"nice": {"type": "integer", "maximum": 19}},
//		"additionalProperties": false}`)
//	err = s.Check([]spawn.Option{{Key: "nice", Value: "20"}, {Key: "ncie", Value: "1"}})
//	// nice=20: want at most 19; "ncie" is no option: did you mean "nice"?
//
// # What of JSON Schema counts
//
// The schema is an object with a property for each option. Options are text, so a
// property of type integer, number or boolean holds text that is one. One that is
// an array may be given more than once, and its items are what is checked. Of the
// keywords these count: type, enum, pattern, minimum, maximum, minLength,
// maxLength, items, properties, required, additionalProperties as a boolean, and
// description and default, which are shown. The others say nothing here: it is the
// backend that has the last word, and checks again.
package optionschema
