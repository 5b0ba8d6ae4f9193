package archtest

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLinksLeadSomewhere looks at every page in the root and below docs.
func TestLinksLeadSomewhere(t *testing.T) { report(t, checkLinks(os.DirFS("../.."))) }

var (
	pageLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced   = regexp.MustCompile("(?s)```.*?```")
	anchorOf = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// checkLinks holds that a link to a file or a heading of this repository leads to
// one. Those to other places are not followed.
func checkLinks(root fs.FS) (bad []string) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/analysis/*.md"} {
		found, _ := fs.Glob(root, pattern)
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, _ := fs.ReadFile(root, page)
		for _, m := range pageLink.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			u, err := url.Parse(m[1])
			if err != nil || u.Scheme != "" {
				continue
			}
			to := page
			if u.Path != "" {
				to = path.Join(path.Dir(page), u.Path)
			}
			target, err := fs.Stat(root, to)
			switch {
			case err != nil:
				bad = append(bad, fmt.Sprintf("%s: the link %s leads nowhere", page, m[1]))
			case u.Fragment != "" && (target.IsDir() || !hasHeading(root, to, u.Fragment)):
				bad = append(bad, fmt.Sprintf("%s: %s has no such heading: %s", page, to, m[1]))
			}
		}
	}
	if len(pages) == 0 {
		bad = append(bad, "there are no pages")
	}
	return bad
}

// hasHeading reports whether a page has a heading of that anchor.
func hasHeading(root fs.FS, page, anchor string) bool {
	text, _ := fs.ReadFile(root, page)
	for line := range strings.Lines(fenced.ReplaceAllString(string(text), "")) {
		heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		heading = anchorOf.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
		if strings.ReplaceAll(heading, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func TestLinksCatches(t *testing.T) {
	page := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	expect(t, checkLinks(fstest.MapFS{
		"README.md":          page("[a](docs/a.md) [b](docs/a.md#why-is-it-so) [c](https://example.com/x) [d](docs) [e](#here)\n## Here\n"),
		"docs/a.md":          page("## Why is `it` so?\n[up](../README.md#here) [gone](b.md)\n```go\n[x](y)\n```\n"),
		"docs/analysis/x.md": page("[a](../a.md#why) [b](../../nowhere)\n"),
	}), "docs/a.md: the link b.md leads nowhere", "docs/analysis/x.md: docs/a.md has no such heading", "docs/analysis/x.md: the link ../../nowhere leads nowhere")
	expect(t, checkLinks(fstest.MapFS{}), "there are no pages")
}
