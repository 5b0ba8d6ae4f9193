package channel

// A Fault is an error on its way to another process. All but Text may be empty.
// Package actor makes errors of it again, and it of errors.
type Fault struct {
	Text string `json:"text"`

	// Type is the name of the error's type or value, "*fs.PathError" or a name
	// that both sides have registered, and Data what belongs to it.
	Type string `json:"type,omitempty"`
	Data []byte `json:"data,omitempty"` // base64 in JSON

	Stack string   `json:"stack,omitempty"` // of the goroutine or thread where it arose
	Panic bool     `json:"panic,omitempty"` // it was a panic, an exception that nobody caught
	Path  []string `json:"path,omitempty"`  // the actors it has crossed, that where it arose first
	Wraps []*Fault `json:"wraps,omitempty"` // what it was made of
}

// Error returns the text.
func (f *Fault) Error() string { return f.Text }
