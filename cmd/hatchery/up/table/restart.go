package table

// restart reads the restart policy.
func (f *fieldSet) restart() Restart {
	const want = `"never", "on-failure", or a table such as {max = 5, within = "1m", min_delay = "100ms", max_delay = "30s"}`
	v, given := f.get("restart")
	if !given || v == "never" {
		return Restart{}
	}
	if v == "on-failure" {
		return onFailure()
	}
	values, ok := v.(map[string]any)
	if !ok {
		f.bad("restart", "it is %s: want %s", kind(v), want)
		return Restart{}
	}
	in := &fieldSet{reader: f.reader, service: f.service, key: append(f.key[:len(f.key):len(f.key)], "restart"), values: values}
	r := onFailure()
	if n, ok := value[int64](in, "max", "how many failures are borne, a number from 1 to 1000"); ok {
		if n < 1 || n > 1000 {
			in.bad("max", "it is %d: want how many failures are borne, a number from 1 to 1000", n)
		}
		r.Max = int(n)
	}
	if d := in.duration("within"); d > 0 {
		r.Within = d
	}
	if d := in.duration("min_delay"); d > 0 {
		r.MinDelay = d
	}
	r.MaxDelay = max(r.MaxDelay, r.MinDelay)
	if d := in.duration("max_delay"); d > 0 {
		r.MaxDelay = d
	}
	if r.MaxDelay < r.MinDelay {
		in.bad("max_delay", "it is %v: want min_delay (%v) or more", r.MaxDelay, r.MinDelay)
	}
	in.unknown()
	return r
}
