package registry

import "fmt"

// A SpawnMethodKey is the name of a strategy to start children: a lower case
// ASCII letter, then letters, digits and underscores, 32 bytes at most.
type SpawnMethodKey string

// DefaultKey is the method that is used when nobody chose one.
const DefaultKey SpawnMethodKey = "forkexec"

// maxKeyLen is how long a key can be, in bytes. A binary's name is the key
// behind a prefix, and a key stands in tables and in error messages.
const maxKeyLen = 32

// ParseKey returns s as a key, or an error that says which rule it breaks. It
// says nothing about whether the key is registered: see [Registry.Lookup].
func ParseKey(s string) (SpawnMethodKey, error) {
	switch {
	case s == "":
		return "", fmt.Errorf("spawn method key is empty: want %s", keyRule)
	case len(s) > maxKeyLen:
		return "", fmt.Errorf("spawn method key %.40q is %d bytes long: want at most %d", s, len(s), maxKeyLen)
	case s[0] < 'a' || s[0] > 'z':
		return "", fmt.Errorf("spawn method key %q does not start with a lower case letter: want %s", s, keyRule)
	}
	for i, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') {
			return "", fmt.Errorf("spawn method key %q has %q at offset %d: want %s", s, r, i, keyRule)
		}
	}
	return SpawnMethodKey(s), nil
}

// keyRule is the grammar of keys as error messages show it.
const keyRule = "[a-z][a-z0-9_]{0,31}, like forkexec"
