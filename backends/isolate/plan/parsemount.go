package plan

import "strings"

// parseBind reads SRC[:DST][:ro|rw].
func parseBind(value string) Mount {
	parts := split(value)
	var m Mount
	if n := len(parts); n > 1 && (parts[n-1] == "ro" || parts[n-1] == "rw") {
		m.Write = parts[n-1] == "rw"
		parts = parts[:n-1]
	}
	m.Source, m.Target = parts[0], parts[len(parts)-1]
	return m
}

// parseTmpfs reads DST[:SIZE].
func parseTmpfs(value string) Mount {
	parts := split(value)
	m := Mount{Target: parts[0]}
	if len(parts) > 1 {
		m.Size = parts[1]
	}
	return m
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
