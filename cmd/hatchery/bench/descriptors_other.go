//go:build !unix

package bench

import "errors"

func holdDescriptors(int) (release func(), err error) { return nil, errors.ErrUnsupported }
