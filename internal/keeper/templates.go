package keeper

import "encoding/binary"

// A TemplateState is what there is of a template: see spawn.Template.
type TemplateState struct {
	Kind    string
	Path    string // of the program
	Ready   int    // each for one child
	Booting int
	Served  uint64 // children handed over
	Memory  int64  // what those that are ready take and what makes them, proportional set size in bytes
}

func appendTemplates(b []byte, list []TemplateState) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, t := range list {
		b = appendString(appendString(b, t.Kind), t.Path)
		for _, v := range [...]uint64{uint64(t.Ready), uint64(t.Booting), t.Served, uint64(t.Memory)} {
			b = binary.AppendUvarint(b, v)
		}
	}
	return b
}

// parseTemplates reads what appendTemplates made.
func parseTemplates(s string) (list []TemplateState, err error) {
	r := reader{s: s}
	for range r.count() {
		list = append(list, TemplateState{
			Kind: r.string(), Path: r.string(),
			Ready: int(r.uvarint()), Booting: int(r.uvarint()), Served: r.uvarint(), Memory: int64(r.uvarint()),
		})
	}
	if r.bad || r.s != "" {
		return nil, errShort
	}
	return list, nil
}
