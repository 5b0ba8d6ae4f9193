package wire

import (
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-plugin"
)

// The descriptors that a plugin finds open besides 0, 1 and 2.
const (
	// HandshakeFD is the write end of a pipe. The plugin writes go-plugin's
	// handshake line to it, so that nothing which prints to descriptor 1 can
	// spoil the handshake.
	HandshakeFD = 3
	// LaneFD is the plugin's end of the plan lane. End of file on it means
	// that the host is gone.
	LaneFD = 4
)

// LogVariable is the environment variable with the level of logging.
const LogVariable = "HATCHERY_LOG"

// The magic cookie of go-plugin. It is no secret and protects nothing: it
// tells a plugin that a host started it and not a person at a shell.
const (
	cookieVariable = "HATCHERY_PLUGIN_COOKIE"
	cookieValue    = "7c1f0e6a5f7d4c0fb8b9d7d6f0a3e2c4"
)

// versionsVariable has the versions that the host speaks, with commas between.
const versionsVariable = "PLUGIN_PROTOCOL_VERSIONS"

// controlName is the name under which the control service is dispensed.
const controlName = "control"

// maxMessage is the size of the largest message on the control connection, in
// bytes. gRPC's own limit for a server is 4 MiB.
const maxMessage = 64 << 20

func handshakeConfig() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		MagicCookieKey:   cookieVariable,
		MagicCookieValue: cookieValue,
	}
}

// maxAnswer is the size of the largest message that a plugin can answer with on
// the control connection, in bytes. go-plugin would take any.
const maxAnswer = 1 << 20

// Hosted returns nil when a host started this process as a plugin, and else
// an error in words that go on "it was not started by a host:". It changes
// nothing.
//
// It must be asked before [Serve], which fails in its own way: go-plugin ends
// the whole process when the cookie is missing.
func Hosted() error {
	if os.Getenv(cookieVariable) != cookieValue {
		return errors.New("no Hatchery host started it")
	}
	if err := checkDescriptors(); err != nil {
		return fmt.Errorf("a go-plugin host that is not Hatchery's started it: %w", err)
	}
	return nil
}

// pluginVariables are what go-plugin and this package put into the environment
// of a plugin. They are removed before the backend runs any code of its own,
// so that no child of it can inherit them.
func pluginVariables() []string {
	return []string{
		cookieVariable, plugin.EnvUnixSocketDir, plugin.EnvUnixSocketGroup,
		"PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", versionsVariable,
		"PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC",
	}
}
