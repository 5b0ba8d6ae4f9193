package capability

import (
	"fmt"
	"strings"
)

// Securebits say what being root is worth, PR_SET_SECUREBITS in prctl(2). Each
// flag has a twin, the next bit, that fixes it for good.
type Securebits uint32

// The flags.
const (
	NoRoot            Securebits = 1 << 0 // exec gives root no capabilities
	NoSetuidFixup     Securebits = 1 << 2 // a change of user id changes no capabilities
	KeepCaps          Securebits = 1 << 4 // they stay when root's user id is given up
	NoCapAmbientRaise Securebits = 1 << 6 // the ambient set cannot grow, Linux 4.3

	// Sealed is what a program without capabilities gets, so that being root in
	// its user namespace never brings any: the first, second and last of the
	// above, and all four fixed.
	Sealed = NoRoot | NoSetuidFixup | NoCapAmbientRaise |
		(NoRoot|NoSetuidFixup|KeepCaps|NoCapAmbientRaise)<<1
)

// String returns the names in linux/securebits.h in small letters, separated by
// commas.
func (s Securebits) String() string {
	if s == 0 {
		return "none"
	}
	flags := []string{"noroot", "no_setuid_fixup", "keep_caps", "no_cap_ambient_raise"}
	var out []string
	for n := range 32 {
		switch {
		case s>>n&1 == 0:
		case n >= 2*len(flags):
			out = append(out, fmt.Sprintf("%#x", 1<<n))
		case n%2 == 1:
			out = append(out, flags[n/2]+"_locked")
		default:
			out = append(out, flags[n/2])
		}
	}
	return strings.Join(out, ",")
}
