package optionschema

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const example = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["host"],
	"properties": {
		"host":  {"type": "string", "pattern": "^[a-z.]+$", "description": "where."},
		"port":  {"type": "integer", "minimum": 1, "maximum": 65535, "default": 22},
		"share": {"type": "number", "minimum": 0.5},
		"tty":   {"type": "boolean"},
		"mode":  {"enum": ["fast", "slow", 3]},
		"bind":  {"type": "array", "items": {"minLength": 2, "maxLength": 4}, "x-new": {}}
	},
	"additionalProperties": false
}`

func options(text string) (list []spawn.Option) {
	for _, kv := range strings.Fields(text) {
		k, v, _ := strings.Cut(kv, "=")
		list = append(list, spawn.Option{Key: k, Value: v})
	}
	return list
}

func TestCheck(t *testing.T) {
	s, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"host=a.b port=22 share=0.5 tty=true mode=slow bind=aa bind=bbbb": "",
		"host=a mode=3 port=1 port=1":                                     "",
		"":                                                                `host is missing: it has to be given`,
		"host=A":                                                          `host=A: it does not match "^[a-z.]+$"`,
		"host=a port=0 port=70000": `port=0: want at least 1; port is given twice, as "0" and "70000": want one; ` +
			`port=70000: want at most 65535`,
		"host=a port=x share=no":           `port=x: want an integer from 1 to 65535; share=no: want a number from 0.5 on`,
		"host=a share=0.4":                 `share=0.4: want at least 0.5`,
		"host=a tty=yes":                   `tty=yes: want true or false`,
		"host=a mode=fats":                 `mode=fats: did you mean "fast"?`,
		"host=a mode=unheard-of":           `mode=unheard-of: want one of fast, slow, 3`,
		"host=a bind=a bind=aaaaa bind=üü": `bind=a: want at least 2 characters; bind=aaaaa: want at most 4 characters`,
		"host=a prot=22":                   `"prot" is no option: did you mean "port"?`,
		"host=a x=1":                       `"x" is no option: want one of bind, host, mode, port, share, tty`,
	} {
		err := s.Check(options(text))
		got := ""
		if err != nil {
			got = spawn.AsError(err).Msg
		}
		if got != want || err != nil && !errors.Is(err, spawn.ErrBadOption) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestCheckIsBounded(t *testing.T) {
	s, err := Parse(`{"additionalProperties": false}`)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Check(options(strings.Repeat(strings.Repeat("x", 10_000)+"=1 ", 1000)))
	if text := err.Error(); len(text) > 4096 || !strings.HasSuffix(text, "and 980 mistakes more") {
		t.Errorf("%d bytes: …%s", len(text), text[max(0, len(text)-100):])
	}
}

func TestNothingIsSaid(t *testing.T) {
	for _, text := range []string{"", "{}", `{"properties": {"a": {}}}`} {
		s, err := Parse(text)
		if err != nil || s.Check(options("b=1 a=2")) != nil {
			t.Errorf("%q: %v, %v", text, err, s.Check(options("b=1 a=2")))
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"x":                           "invalid character",
		`[]`:                          "cannot unmarshal array",
		`{"type": "string"}`:          `type "string": want object`,
		`{"properties": {"a": null}}`: "properties.a: null: want an object",
		`{"properties": {"a": {"type": "text"}}}`:                                        `properties.a.type: "text": want string,`,
		`{"properties": {"a": {"pattern": "("}}}`:                                        "properties.a.pattern: error parsing regexp",
		`{"properties": {"a": {"minimum": "no"}}}`:                                       "invalid",
		`{"properties": {"a": {"minimum": 1e999}}}`:                                      "properties.a.minimum: ",
		`{"properties": {"a": {"type": "array", "items": {"type": "array"}}}}`:           "properties.a.items.type: an array in an array",
		`{"properties": {"a": {"description": "` + strings.Repeat("x", maxText) + `"}}}`: "a schema has at most 65536",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v; want %q", text, err, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	s, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"bind=VALUE …             text",
		"host=VALUE               where: text that matches ^[a-z.]+$",
		"mode=VALUE               fast or slow or 3",
		"port=N                   an integer from 1 to 65535; default 22",
		"share=N                  a number from 0.5 on",
		"tty=BOOL                 true or false",
	}
	if d := cmp.Diff(want, s.Describe()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
