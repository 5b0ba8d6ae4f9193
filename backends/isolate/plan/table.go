package plan

import (
	_ "embed" // the schema
	"math"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/option"
)

// schema is the table as a JSON Schema. A test holds it to that, and writes it anew
// when it is told to: go test -run TestSchema -write.
//
//go:embed schema.json
var schema string

// Schema returns a JSON Schema of the options, as far as each can be wrong by itself.
func Schema() string { return schema }

// table says which options there are and what each may be by itself.
func table() *option.Table {
	return &option.Table{Options: append(rootOptions(), append(rightsOptions(), limitOptions()...)...)}
}

// What paths look like, as a part of a pattern: absolute, without . and .., and
// without a slash too many. Those of binds have a backslash before a colon.
const (
	pathPart    = `(?:[^/.\x00][^/\x00]*|\.[^/.\x00][^/\x00]*|\.\.[^/\x00]+)`
	belowRoot   = `(?:/` + pathPart + `)+`
	anyPath     = `/(?:` + pathPart + `(?:/` + pathPart + `)*)?`
	colonFirst  = `(?:[^/.:\x00]|\\:)`
	colonChar   = `(?:[^/:\x00]|\\:)`
	colonPart   = `(?:` + colonFirst + colonChar + `*|\.` + colonFirst + colonChar + `*|\.\.` + colonChar + `+)`
	colonBelow  = `(?:/` + colonPart + `)+`
	colonAny    = `/(?:` + colonPart + `(?:/` + colonPart + `)*)?`
	portAbove0  = `(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})`
	ioRate      = `(?:[rw]bps=0*[1-9][0-9]*[kKmMgGtT]?|[rw]iops=0*[1-9][0-9]*)`
	anyDuration = `[-+]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)`
)

const cleanPath = "an absolute path without . and .."

// rootOptions are about what the child sees.
func rootOptions() []option.Option {
	longest := maxHostname
	return []option.Option{
		{Name: "profile", About: "what the child has as its file system", Default: "host",
			Value: option.Value{Words: texts(ProfileHost, ProfileEmpty, ProfileRoot)}},
		{Name: "root", About: "the folder that becomes the root, with folders proc, dev and tmp",
			Value: option.Value{Title: cleanPath + ", not the host's / (that is profile=host)", Pattern: `^` + belowRoot + `$`}},
		{Name: "overlay", About: "writes to the root go to memory, and are gone afterwards", Value: option.Value{Type: option.Boolean}},
		{Name: "bind", Many: true, About: "a file or folder of the host with all that is mounted below it",
			Value: option.Value{Title: `SRC[:DST][:ro|rw], each ` + cleanPath + `, DST not the root /; write a colon of a name as \:`,
				Pattern: `^(?:` + colonBelow + `|` + colonAny + `:` + colonBelow + `)(?::r[ow])?$`}},
		{Name: "tmpfs", Many: true, About: "an empty folder in memory",
			Value: option.Value{Title: `DST[:SIZE], ` + cleanPath + ` but the root /, and a size as in 64m or 10%; write a colon of a name as \:`,
				Pattern: `^` + colonBelow + `(?::0*[1-9][0-9]*[kKmMgG%]?)?$`}},
		{Name: "net", About: "the network: its own, or the host's", Default: "none", Value: option.Value{Words: []string{"none", "host"}}},
		{Name: "hostname", About: "the name that the child sees as the host's",
			Value: option.Value{Title: "a name of 1 to 64 ASCII characters, without space and slash", Pattern: `^[!-.0-~]+$`, MaxLength: &longest}},
		{Name: "clock", Many: true, About: "for how much longer, or less long, the machine has been running",
			Value: option.Value{Title: "monotonic:OFFSET or boottime:OFFSET, as in boottime:-36h",
				Examples: []string{"monotonic:1h", "boottime:-36h"}, Pattern: `^(?:monotonic|boottime):` + anyDuration + `$`}},
		{Name: "keep_env", Many: true, About: "variables of the host for a child whose Spec has no environment",
			Value: option.Value{Title: "the name of a variable, names with commas between them, or " + KeepAllEnv, Pattern: `^[^=,\x00]+(?:,[^=,\x00]+)*$`}},
	}
}

// rightsOptions are about what the child may do.
func rightsOptions() []option.Option {
	id := option.Value{Type: option.Integer, Min: option.Limit(0), Max: option.Limit(noID - 1)}
	access, layer := strings.Join(texts(LandlockRead, LandlockExec, LandlockWrite), "|"), strings.Join(texts(layers()...), "|")
	return []option.Option{
		{Name: "uid", About: "the user id that the child sees as its own", Value: id},
		{Name: "gid", About: "the group id that the child sees as its own", Value: id},
		{Name: "ids", About: "ids of the host that the child has in place of the host's, from 0 on",
			Value: option.Value{Title: "FIRST:COUNT, as in 100000:65536", Pattern: `^[0-9]+:0*[1-9][0-9]*$`}},
		{Name: "seccomp", About: "what becomes of system calls that programs have no need of, or a filter of one's own", Default: string(FilterRefuse),
			Value: option.Value{Title: "default, kill, off, or the absolute path of a profile without . and .., with bpf: before it if it is a program",
				Examples: texts(FilterRefuse, FilterKill, FilterOff), Pattern: `^(?:default|kill|off|(?:bpf:)?` + anyPath + `)$`}},
		{Name: "landlock", Many: true, About: "what Landlock lets the child do",
			Value: option.Value{Title: "ro:PATH, exec:PATH, rw:PATH, bind:PORT, connect:PORT, scope or off; PATH is " + cleanPath + ", PORT a number, 0 for bind alone",
				Examples: []string{"ro:/usr", "exec:/usr", "rw:/tmp", "bind:8080", "connect:443", "scope", "off"},
				Pattern:  `^(?:scope|off|(?:` + access + `):` + anyPath + `|bind:0*(?:0|` + portAbove0 + `)|connect:0*` + portAbove0 + `)$`}},
		{Name: "best_effort", Many: true, About: "layers that the sandbox may be without",
			Value: option.Value{Title: strings.Join(texts(layers()...), ", ") + ", or several with commas between them",
				Examples: texts(layers()...), Pattern: `^(?:` + layer + `)(?:,(?:` + layer + `))*$`}},
	}
}

// limitOptions are about how much the child may use.
func limitOptions() []option.Option {
	duration := option.Value{Title: "a time, 1ms at least, as in 10s or 1m30s", Format: option.Duration, Min: option.Limit(0.001)}
	return []option.Option{
		{Name: "memory", About: "what all processes may use together",
			Value: option.Value{Title: "bytes, 1m at least, as in 64m or 1g", Format: option.Bytes, Min: option.Limit(MinMemory), Max: option.Limit(math.MaxInt64 / 2)}},
		{Name: "cpus", About: "on how many processors they may run at once, in the mean",
			Value: option.Value{Title: "a number of processors from 0.01 to 10000, as in 1.5", Type: option.Number, Min: option.Limit(0.01), Max: option.Limit(10_000)}},
		{Name: "pids", About: "how many processes and threads there may be",
			Value: option.Value{Title: "a number of processes from 1 to 4194304", Type: option.Integer, Min: option.Limit(1), Max: option.Limit(1 << 22)}},
		{Name: "io", Many: true, About: "what they may read from a disk and write to it in a second",
			Value: option.Value{Title: `PATH:LIMIT[,LIMIT], a disk or a file on it, and of rbps=BYTES, wbps=BYTES, riops=N, wiops=N what is to be limited, as in /dev/sda:rbps=10m,wiops=100`,
				Pattern: `^` + colonAny + `:` + ioRate + `(?:,` + ioRate + `)*$`}},
		{Name: "io_weight", About: "their share of a disk that others want too, where those have 100",
			Value: option.Value{Type: option.Integer, Min: option.Limit(1), Max: option.Limit(maxWeight)}},
		{Name: "wall", About: "how long the child may run", Value: duration},
		{Name: "cpu_time", About: "how long all processes together may use processors", Value: duration},
	}
}

// texts returns words as text.
func texts[S ~string](words ...S) (all []string) {
	for _, w := range words {
		all = append(all, string(w))
	}
	return all
}
