package plan

import "strings"

// parseBind reads SRC[:DST][:ro|rw].
func parseBind(value string) (Mount, error) {
	parts := split(value)
	var m Mount
	if n := len(parts); n > 1 && (parts[n-1] == "ro" || parts[n-1] == "rw") {
		m.Write = parts[n-1] == "rw"
		parts = parts[:n-1]
	}
	switch len(parts) {
	case 1:
		m.Source, m.Target = parts[0], parts[0]
	case 2:
		m.Source, m.Target = parts[0], parts[1]
	default:
		return m, badOption(`bind=%s: want SRC[:DST][:ro|rw]; write a colon of a name as \:`, short(value))
	}
	if m.Source == "" {
		return m, badOption("bind=%s: want SRC[:DST][:ro|rw], where SRC is a file or folder of the host", short(value))
	}
	return m, nil
}

// parseTmpfs reads DST[:SIZE].
func parseTmpfs(value string) (Mount, error) {
	parts := split(value)
	m := Mount{Target: parts[0]}
	switch len(parts) {
	case 1:
	case 2:
		m.Size = parts[1]
	default:
		return m, badOption(`tmpfs=%s: want DST[:SIZE]; write a colon of a name as \:`, short(value))
	}
	return m, nil
}

// split splits at colons that have no backslash before them.
func split(s string) []string {
	parts := []string{""}
	for i := 0; i < len(s); i++ {
		last := &parts[len(parts)-1]
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ':':
			*last += ":"
			i++
		case s[i] == ':':
			parts = append(parts, "")
		default:
			*last += s[i : i+1]
		}
	}
	return parts
}

// option returns the option that is read as m.
func (m Mount) option() (key, value string) {
	escape := strings.NewReplacer(":", `\:`).Replace
	if m.Source == "" {
		if m.Size == "" {
			return "tmpfs", escape(m.Target)
		}
		return "tmpfs", escape(m.Target) + ":" + m.Size
	}
	mode := ":ro"
	if m.Write {
		mode = ":rw"
	}
	return "bind", escape(m.Source) + ":" + escape(m.Target) + mode
}
