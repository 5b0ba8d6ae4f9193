package spawn

import (
	"fmt"
	"os"
	"syscall"
)

// AppendBinary appends the Spec in the encoding of spawnv1.Spec. Of Files only
// the numbers in use are encoded: the descriptors themselves travel beside the
// message. The error is always nil.
func (s *Spec) AppendBinary(b []byte) ([]byte, error) {
	b = putString(b, 1, s.Path)
	b = putElems(b, 2, s.Args)
	b = putBool(b, 3, s.Env != nil)
	b = putElems(b, 4, s.Env)
	b = putString(b, 5, s.Dir)
	b = putUint(b, 6, uint64(len(s.Files)))
	open := s.OpenFiles()
	b = putPacked(b, 7, len(open), func(i int) uint64 { return uint64(open[i]) })
	b = putBool(b, 8, s.Session)
	b = putInt(b, 9, int64(s.Group))
	if t := s.Terminal; t != nil {
		b = putUint(b, 10, uint64(*t)+1)
	}
	if c := s.Credential; c != nil {
		b = putMessage(b, 11, c.put)
	}
	if u := s.Umask; u != nil {
		b = putUint(b, 12, uint64(*u)+1)
	}
	for _, l := range s.Limits {
		b = putMessage(b, 13, func(b []byte) []byte {
			b = putInt(b, 1, int64(l.Resource))
			b = putUint(b, 2, l.Soft)
			return putUint(b, 3, l.Hard)
		})
	}
	b = putPacked(b, 14, len(s.Ignore), func(i int) uint64 { return uint64(s.Ignore[i]) })
	b = putBool(b, 15, s.NoNewPrivs)
	for _, o := range s.Options {
		b = putMessage(b, 16, func(b []byte) []byte {
			return putString(putString(b, 1, o.Key), 2, o.Value)
		})
	}
	if f := s.Foreground; f != nil {
		b = putUint(b, 17, uint64(*f)+1)
	}
	return b, nil
}

// UnmarshalBinary decodes what AppendBinary made. Files has the length it had,
// with every entry nil: whoever received the descriptors fills them in by
// [Spec.AttachFiles].
func (s *Spec) UnmarshalBinary(data []byte) error {
	*s = Spec{}
	d := specDecoder{spec: s}
	if err := eachField(data, d.field); err != nil {
		return err
	}
	if d.envSet && s.Env == nil {
		s.Env = []string{}
	}
	if d.files > MaxFiles {
		return fmt.Errorf("%w: %d descriptors: at most %d can be passed", errMalformed, d.files, MaxFiles)
	}
	if d.files > 0 {
		s.Files = make([]*os.File, d.files)
	}
	for i, n := range d.open {
		if n >= len(s.Files) || i > 0 && n <= d.open[i-1] {
			return fmt.Errorf("%w: descriptor %d of %d, or out of order", errMalformed, n, len(s.Files))
		}
	}
	s.open = d.open
	return nil
}

// OpenFiles returns the numbers of the descriptors that Files holds, in
// order. For a Spec that came over the wire they are those the sender had.
func (s *Spec) OpenFiles() []int {
	if s.open != nil {
		return s.open
	}
	var open []int
	for i, f := range s.Files {
		if f != nil {
			open = append(open, i)
		}
	}
	return open
}

// AttachFiles fills Files with the descriptors that came with a decoded Spec,
// in the order of [Spec.OpenFiles]. The Spec does not own them. It reports
// whether their number is right; when it is not, nothing is attached.
func (s *Spec) AttachFiles(files []*os.File) bool {
	if len(files) != len(s.open) {
		return false
	}
	for i, n := range s.open {
		s.Files[n] = files[i]
	}
	s.open = nil
	return true
}

type specDecoder struct {
	spec   *Spec
	envSet bool
	files  uint64
	open   []int
}

func (d *specDecoder) field(w wireField) (err error) {
	s := d.spec
	switch w.field {
	case 1:
		s.Path = w.str()
	case 2:
		s.Args = append(s.Args, w.str())
	case 3:
		d.envSet = w.bool()
	case 4:
		s.Env = append(s.Env, w.str())
	case 5:
		s.Dir = w.str()
	case 6:
		d.files = w.num
	case 7:
		err = w.eachNumber(func(v uint64) { d.open = append(d.open, int(min(v, MaxFiles))) })
	case 8:
		s.Session = w.bool()
	case 9:
		s.Group = int(int64(w.num))
	case 10:
		if w.num > 0 {
			t := int(w.num - 1)
			s.Terminal = &t
		}
	case 11:
		s.Credential = new(Credential)
		err = eachField(w.data, s.Credential.field)
	case 12:
		if w.num > 0 {
			u := uint32(w.num - 1)
			s.Umask = &u
		}
	case 13:
		var l Limit
		err = eachField(w.data, l.field)
		s.Limits = append(s.Limits, l)
	case 14:
		err = w.eachNumber(func(v uint64) { s.Ignore = append(s.Ignore, syscall.Signal(v)) })
	case 15:
		s.NoNewPrivs = w.bool()
	case 16:
		var o Option
		err = eachField(w.data, o.field)
		s.Options = append(s.Options, o)
	case 17:
		if w.num > 0 {
			f := int(w.num - 1)
			s.Foreground = &f
		}
	}
	return err
}

func (c *Credential) put(b []byte) []byte {
	b = putUint(b, 1, uint64(c.UID))
	b = putUint(b, 2, uint64(c.GID))
	b = putPacked(b, 3, len(c.Groups), func(i int) uint64 { return uint64(c.Groups[i]) })
	return putBool(b, 4, c.KeepGroups)
}

func (c *Credential) field(w wireField) error {
	switch w.field {
	case 1:
		c.UID = uint32(w.num)
	case 2:
		c.GID = uint32(w.num)
	case 3:
		return w.eachNumber(func(v uint64) { c.Groups = append(c.Groups, uint32(v)) })
	case 4:
		c.KeepGroups = w.bool()
	}
	return nil
}

func (l *Limit) field(w wireField) error {
	switch w.field {
	case 1:
		l.Resource = int(int64(w.num))
	case 2:
		l.Soft = w.num
	case 3:
		l.Hard = w.num
	}
	return nil
}

func (o *Option) field(w wireField) error {
	switch w.field {
	case 1:
		o.Key = w.str()
	case 2:
		o.Value = w.str()
	}
	return nil
}
