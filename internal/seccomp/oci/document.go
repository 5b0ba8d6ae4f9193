package oci

import (
	"encoding/json"
	"reflect"
	"strings"
)

// A document is a profile as it is written. Fields that are not the OCI's are
// Docker's and Podman's.
type document struct {
	DefaultAction    string            `json:"defaultAction"`
	DefaultErrnoRet  *uint16           `json:"defaultErrnoRet"`
	DefaultErrno     string            `json:"defaultErrno"`
	Architectures    []string          `json:"architectures"`
	ArchMap          json.RawMessage   `json:"archMap"`
	Flags            []string          `json:"flags"`
	ListenerPath     string            `json:"listenerPath"`
	ListenerMetadata string            `json:"listenerMetadata"`
	Syscalls         []json.RawMessage `json:"syscalls"`
}

// An entry is a rule.
type entry struct {
	Name     string     `json:"name"`
	Names    []string   `json:"names"`
	Action   string     `json:"action"`
	ErrnoRet *uint16    `json:"errnoRet"`
	Errno    string     `json:"errno"`
	Args     []argument `json:"args"`
	Comment  string     `json:"comment"`
	Includes selection  `json:"includes"`
	Excludes selection  `json:"excludes"`
}

// An argument is a condition on one.
type argument struct {
	Index    int    `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

// A selection says on which machines a rule counts.
type selection struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"`
	MinKernel string   `json:"minKernel"`
}

// fields lists the names that a document or an entry may have.
func fields(of any) string {
	t := reflect.TypeOf(of).Elem()
	var all []string
	for i := range t.NumField() {
		all = append(all, t.Field(i).Tag.Get("json"))
	}
	return "there are " + strings.Join(all, ", ")
}
