package registry

import "github.com/hatchery-spawn/hatchery/internal/nearest"

// Nearest returns the registered key that was most likely meant by key: the
// same but for the case of its letters, or else the one with the fewest
// differences, if they are few for its length (one in three). It reports false
// when nothing is near. Of several that are equally near it is the first in
// the order of the alphabet.
func (r *Registry) Nearest(key string) (SpawnMethodKey, bool) {
	var known []string
	for _, k := range r.Keys() {
		known = append(known, string(k))
	}
	best, ok := nearest.Of(key, known)
	return SpawnMethodKey(best), ok
}
