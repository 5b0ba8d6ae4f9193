//go:build unix

package keeper

import (
	"context"
	"encoding/binary"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// Warm has n processes made ready for children like l, whose plan begins with a
// handoff, and returns when they are. As many stay ready from then on. The
// descriptors of l are not looked at.
func (c *Client) Warm(ctx context.Context, l *Launch, n int) error {
	with := *l
	with.Files, with.FDs = nil, nil
	return c.ask(ctx, frameWarm, with.append(binary.LittleEndian.AppendUint64(nil, uint64(n))))
}

// Templates returns what there is of templates. It takes a while for each process
// that is ready, for its memory is measured.
func (c *Client) Templates(ctx context.Context) ([]TemplateState, error) {
	a, err := c.call(ctx, frameTemplates, nil)
	if err != nil {
		return nil, err
	}
	return parseTemplates(a.text)
}

// templatesAre hands on the answer to Templates.
func (c *Client) templatesAre(f *lane.Frame) {
	c.deliver(f.ID, answer{pidfd: -1, text: string(f.Payload)})
}
