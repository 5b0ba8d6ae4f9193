package detached

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

const refScheme = "detached1"

// Ref returns the short form of the record: one word, which ends with the folder.
func (r Record) Ref() string {
	return fmt.Sprintf("%s:%s:%s:%d-%d:%d-%d:%s", refScheme, r.Nonce, r.Boot,
		r.Keeper.Pid, r.Keeper.Start, r.Child.Pid, r.Child.Start, (&url.URL{Path: r.Dir}).EscapedPath())
}

var errRef = errors.New("no reference to a detached child: want detached1:NONCE:BOOT:PID-START:PID-START:FOLDER")

// ParseRef reads what Ref made, as far as it goes: the rest of the record is
// empty.
func ParseRef(ref string) (r Record, err error) {
	f := strings.SplitN(ref, ":", 6)
	if len(f) != 6 || f[0] != refScheme || !isNonce(f[1]) || f[2] == "" {
		return Record{}, errRef
	}
	r = Record{Version: Version, Nonce: f[1], Boot: f[2]}
	for i, p := range []*runfolder.Process{&r.Keeper, &r.Child} {
		if _, err := fmt.Sscanf(f[3+i], "%d-%d", &p.Pid, &p.Start); err != nil || fmt.Sprintf("%d-%d", p.Pid, p.Start) != f[3+i] {
			return Record{}, errRef
		}
	}
	if r.Dir, err = url.PathUnescape(f[5]); err != nil || !filepath.IsAbs(r.Dir) || r.Keeper.Pid <= 0 || r.Keeper.Start == 0 {
		return Record{}, errRef
	}
	return r, nil
}

// Same reports whether both mean the same child.
func (r Record) Same(o Record) bool {
	return r.Nonce == o.Nonce && r.Boot == o.Boot && r.Keeper == o.Keeper && r.Child == o.Child
}
