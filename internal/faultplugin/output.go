//go:build unix

package faultplugin

import (
	"bytes"
	"os"
	"strings"
	"sync"
)

// outputModes write what nobody asked for to descriptors 1 and 2. That is no
// reason to fail.
func outputModes() []Mode {
	noisy := func(name, explain string, noise func()) Mode {
		return Mode{Name: name, Explain: explain, Stage: Works, run: func(key string) int {
			noise()
			return plugin{key: key}.serve()
		}}
	}
	return []Mode{
		noisy("stdout_line", "writes a line to descriptor 1 before the handshake",
			func() { os.Stdout.WriteString("warming up\n") }),
		noisy("stdout_lines", "writes 10 000 lines to descriptor 1 before the handshake",
			func() { os.Stdout.WriteString(strings.Repeat("warming up\n", 10_000)) }),
		noisy("stdout_mebibyte", "writes 1 MiB without a newline to descriptor 1 before the handshake",
			func() { os.Stdout.WriteString(strings.Repeat("x", 1<<20)) }),
		noisy("stdout_handshake", "writes something like a handshake line to descriptor 1 before the handshake",
			func() { os.Stdout.WriteString("1|1|tcp|127.0.0.1:1|grpc|\n") }),
		noisy("flood", "writes 64 MiB to each of descriptors 1 and 2 before the handshake",
			func() { flood(os.Stdout, 64<<20); flood(os.Stderr, 64<<20) }),
		{Name: "flood_later", Explain: "writes 64 MiB to each of descriptors 1 and 2 from the handshake on", Stage: Works,
			run: func(key string) int {
				var once sync.Once
				stdout, stderr := os.Stdout, os.Stderr
				return plugin{key: key, describe: func() {
					once.Do(func() {
						go flood(stdout, 64<<20)
						go flood(stderr, 64<<20)
					})
				}}.serve()
			}},
	}
}

// flood writes about n bytes in lines.
func flood(f *os.File, n int) {
	lines := bytes.Repeat([]byte("the river has risen above the first floor of the mill\n"), 1024)
	n -= n % len(lines)
	for n > 0 {
		m, err := f.Write(lines)
		if err != nil {
			return
		}
		n -= m
	}
}
