package pluginlog

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
)

// fromJSON returns the record that a line is which is a JSON object and has a
// message.
func fromJSON(e entry) (slog.Record, bool) {
	if e.cut || e.line[0] != '{' {
		return slog.Record{}, false
	}
	attrs, ok := object(e.line, maxDepth)
	if !ok {
		return slog.Record{}, false
	}
	r, said := slog.NewRecord(e.at, slog.LevelInfo, "", 0), false
	for _, a := range attrs {
		text := a.Value.String()
		switch a.Key {
		case "msg", "message", "@message":
			if !said {
				r.Message, said = plain(text), true
				continue
			}
		case "level", "@level", "levelname", "severity":
			if level, ok := levelOf(text); ok {
				r.Level = level
				continue
			}
		case "time", "@timestamp", "timestamp", "ts":
			if at, ok := timeOf(text); ok {
				r.Time = at
				continue
			}
		}
		r.AddAttrs(slog.Attr{Key: keyOf(a.Key), Value: a.Value})
	}
	return r, said
}

// Group is the name of the group in which the host says whose record it is.
const Group = "plugin"

// keyOf is how an attribute is called here. None can pass for the host's.
func keyOf(key string) string {
	key = plain(strings.TrimPrefix(key, "@")) // as hclog marks its own
	if key == Group {
		return key + "_"
	}
	return key
}

// maxDepth bounds how deep objects are taken apart. What is deeper stays JSON.
const maxDepth = 8

// object returns the members of a JSON object in their order.
func object(text []byte, depth int) (attrs []slog.Attr, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		key, err := d.Token()
		name, isName := key.(string)
		var v json.RawMessage
		if err != nil || !isName || d.Decode(&v) != nil {
			return nil, false
		}
		attrs = append(attrs, slog.Attr{Key: name, Value: value(v, depth-1)})
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') || len(bytes.TrimSpace(text[d.InputOffset():])) > 0 {
		return nil, false
	}
	return attrs, true
}

// value returns a JSON value as slog has it. A list stays JSON.
func value(v json.RawMessage, depth int) slog.Value {
	if v[0] == '{' && depth > 0 {
		if attrs, ok := object(v, depth); ok {
			return slog.GroupValue(attrs...)
		}
	}
	var scalar any
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	if v[0] == '{' || v[0] == '[' || d.Decode(&scalar) != nil {
		return slog.AnyValue(v)
	}
	n, isNumber := scalar.(json.Number)
	if !isNumber {
		return slog.AnyValue(scalar)
	}
	if i, err := n.Int64(); err == nil {
		return slog.Int64Value(i)
	}
	f, err := n.Float64()
	if err != nil { // out of range
		return slog.StringValue(n.String())
	}
	return slog.Float64Value(f)
}
