package wire

import (
	"io"
	"os"

	"github.com/hashicorp/go-hclog"
)

// hostLogger returns the logger that go-plugin gets on the host's side. An
// empty or unknown level is silence.
func hostLogger(level string, w io.Writer) hclog.Logger {
	l := hclog.LevelFromString(level)
	if l == hclog.NoLevel || l == hclog.Off || w == nil {
		return hclog.NewNullLogger()
	}
	return hclog.New(&hclog.LoggerOptions{Name: "hatchery", Level: l, Output: w})
}

// pluginLogger returns the logger that go-plugin gets on the plugin's side. Of
// itself it says only why serving failed, which go-plugin tells nobody else;
// $HATCHERY_LOG makes it say more.
func pluginLogger(w io.Writer) hclog.Logger {
	l := hclog.LevelFromString(os.Getenv(LogVariable))
	if l == hclog.NoLevel {
		l = hclog.Error
	}
	return hclog.New(&hclog.LoggerOptions{Name: "plugin", Level: l, Output: w})
}
