package registry

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Registry is a set of methods, each under its key. Its zero value is empty
// and ready for use. It is safe for concurrent use and must not be copied.
type Registry struct {
	mu      sync.RWMutex
	entries map[SpawnMethodKey]Entry
}

// New returns a registry of the given entries, or the error of the first that
// [Registry.Add] refuses.
func New(entries ...Entry) (*Registry, error) {
	r := new(Registry)
	for _, e := range entries {
		if err := r.Add(e); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Add registers e. An entry that breaks a rule of [Entry] is refused with what
// would be right; a key that is taken is refused with a [*DuplicateError],
// whatever the status of either claimant. A refused entry changes nothing.
func (r *Registry) Add(e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if e.Builtin() && e.Status == "" {
		e.Status = Stable
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, taken := r.entries[e.Key]; taken {
		return &DuplicateError{Key: e.Key, First: first, Second: e}
	}
	if r.entries == nil {
		r.entries = make(map[SpawnMethodKey]Entry)
	}
	r.entries[e.Key] = e
	return nil
}

// A DuplicateError reports two entries that claim one key. The first stays
// registered.
type DuplicateError struct {
	Key           SpawnMethodKey
	First, Second Entry
}

// Error names the key and both sources.
func (e *DuplicateError) Error() string {
	first, second := e.First.Source(), e.Second.Source()
	if first == second {
		return fmt.Sprintf("spawn method %s is registered twice (%s): a key can stand once", e.Key, first)
	}
	return fmt.Sprintf("spawn method %s is claimed by two (%s and %s): rename or remove one", e.Key, first, second)
}

// Lookup returns the entry of a key as a person gave it. What is not
// registered is a [*spawn.Error] of the kind [spawn.ErrUnknownMethod], with the
// key as given, whose text lists the keys there are and names the nearest.
// A method whose status is [Blocked] is found like any other.
func (r *Registry) Lookup(key string) (Entry, error) {
	r.mu.RLock()
	e, ok := r.entries[SpawnMethodKey(key)]
	r.mu.RUnlock()
	if ok {
		return e, nil
	}
	return Entry{}, &spawn.Error{
		Kind:  spawn.ErrUnknownMethod,
		Phase: spawn.PhaseSelect,
		Key:   key,
		Msg:   r.unknown(key),
	}
}

// unknown says what would have been right instead of key.
func (r *Registry) unknown(key string) string {
	keys := r.Keys()
	if len(keys) == 0 {
		return "no method is registered at all"
	}
	var b strings.Builder
	if key == "" {
		b.WriteString("the key is empty; ")
	} else if near, ok := r.Nearest(key); ok {
		fmt.Fprintf(&b, "did you mean %s? ", near)
	}
	b.WriteString("valid keys are ")
	for i, k := range keys {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(k))
	}
	return b.String()
}

// Keys returns every key, those of blocked methods included, sorted.
func (r *Registry) Keys() []SpawnMethodKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.entries))
}

// Entries returns every entry, those of blocked methods included, sorted by
// key.
func (r *Registry) Entries() []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	entries := make([]Entry, 0, len(r.entries))
	for _, k := range slices.Sorted(maps.Keys(r.entries)) {
		entries = append(entries, r.entries[k])
	}
	return entries
}
