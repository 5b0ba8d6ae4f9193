package wire

import (
	"io"
	"os"

	"github.com/hashicorp/go-hclog"
)

// pluginLogger returns the logger that go-plugin gets on the plugin's side. Of
// itself it says only why serving failed, which go-plugin tells nobody else;
// $HATCHERY_LOG, which says that the host reads it, makes it say more.
func pluginLogger(w io.Writer) hclog.Logger {
	l := hclog.LevelFromString(os.Getenv(LogVariable))
	asked := l != hclog.NoLevel
	if !asked {
		l = hclog.Error
	}
	return hclog.New(&hclog.LoggerOptions{Name: "plugin", Level: l, Output: w, JSONFormat: asked})
}
