package python

import (
	"fmt"
	"strings"
)

// What the letters of the interpreter's options mean here.
const (
	flags     = "bBEIOPqRsSu" // change the interpreter: part of the template
	arguments = "WX"          // the same, with an argument
	programs  = "cm"          // what to run: the child's, and all that follows
)

// options returns the options that belong to the template, each a word of its
// own, or says why the command line args (without the program's name) needs a
// cold start. It looked at the first words of args alone, or at all of them, and at
// their end, if words is 0.
func options(args []string) (template []string, words int, why string) {
	given := len(args)
	for len(args) > 0 {
		word := args[0]
		if word == "-" || !strings.HasPrefix(word, "-") {
			return template, given - len(args) + 1, "" // standard input, or a script
		}
		args = args[1:]
		if word == "--" {
			return template, given - len(args), ""
		}
		if word == "--check-hash-based-pycs" {
			if len(args) == 0 {
				return nil, 0, missing(word)
			}
			template, args = append(template, word, args[0]), args[1:]
			continue
		}
		more, rest, last, why := letters(word, args)
		if why != "" {
			return nil, 0, why
		}
		template = append(template, more...)
		if args = rest; last {
			return template, given - len(args), ""
		}
	}
	return template, 0, ""
}

// letters takes a word of short options apart. It returns those of the
// template and the words that are left; last is true after -c or -m.
func letters(word string, args []string) (template, rest []string, last bool, why string) {
	for i := 1; i < len(word); i++ {
		letter := word[i]
		switch {
		case strings.IndexByte(flags, letter) >= 0:
			template = append(template, "-"+string(letter))
			continue
		case strings.IndexByte(arguments+programs, letter) < 0:
			return nil, nil, false, fmt.Sprintf("option %s: the interpreter is started for it", word)
		}
		value := word[i+1:]
		if value == "" {
			if len(args) == 0 {
				return nil, nil, false, missing("-" + string(letter))
			}
			value, args = args[0], args[1:]
		}
		if strings.IndexByte(programs, letter) >= 0 {
			return template, args, true, ""
		}
		if name, _, _ := strings.Cut(value, "="); letter == 'X' && startsOver(name) {
			return nil, nil, false, fmt.Sprintf("option -X %s concerns the start of the interpreter itself", name)
		}
		return append(template, "-"+string(letter), value), args, false, ""
	}
	return template, args, false, ""
}

// startsOver reports whether an -X option is about the interpreter's own start
// or end.
func startsOver(name string) bool {
	switch name {
	case "importtime", "perf", "perf_jit", "showrefcount", "presite":
		return true
	}
	return false
}

func missing(option string) string {
	return "option " + option + " has no argument: the interpreter is to say so"
}
