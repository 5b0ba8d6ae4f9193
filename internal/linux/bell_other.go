//go:build !linux

package linux

import "time"

func (b *Bell) wake() {}

func (b *Bell) sleep(time.Duration) {}
