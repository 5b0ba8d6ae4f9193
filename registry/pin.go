package registry

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A Pin is the checksum that a plugin binary must have to be executed:
// "sha256:" and 64 hexadecimal digits in lower case. The empty one pins
// nothing.
type Pin string

// pinPrefix names the only algorithm there is, so that another can follow.
const pinPrefix = "sha256:"

// PinOf returns the pin of a file with the given SHA-256.
func PinOf(sum [32]byte) Pin { return Pin(pinPrefix + hex.EncodeToString(sum[:])) }

// ParsePin returns s as a pin, or an error that says what is wrong with it.
func ParsePin(s string) (Pin, error) {
	digits, ok := strings.CutPrefix(s, pinPrefix)
	switch {
	case !ok:
		return "", fmt.Errorf("checksum %.80q: want %s", s, pinRule)
	case len(digits) != 64:
		return "", fmt.Errorf("checksum %.80q has %d digits: want %s", s, len(digits), pinRule)
	case strings.Trim(digits, "0123456789abcdef") != "":
		return "", fmt.Errorf("checksum %q has something else than 0-9 and a-f in it: want %s", s, pinRule)
	}
	return Pin(s), nil
}

// pinRule is the grammar of pins as error messages show it.
const pinRule = "sha256: and 64 hexadecimal digits in lower case"
