package spawn

import "math"

func (b *Basis) put(out []byte) []byte {
	for _, f := range b.Files {
		out = putMessage(out, 1, f.put)
	}
	out = putElems(out, 2, b.Env)
	return putUint(out, 3, uint64(b.Args))
}

func (b *Basis) field(w wireField) error {
	switch w.field {
	case 1:
		var f FileState
		if err := eachField(w.data, f.field); err != nil {
			return err
		}
		b.Files = append(b.Files, f)
	case 2:
		b.Env = append(b.Env, w.str())
	case 3:
		b.Args = uint32(min(w.num, math.MaxUint32))
	}
	return nil
}

func (f FileState) put(b []byte) []byte {
	b = putString(b, 1, f.Path)
	b = putBool(b, 2, f.Found)
	b = putUint(b, 3, f.Device)
	b = putUint(b, 4, f.Inode)
	b = putUint(b, 5, zigzag(f.Size))
	b = putUint(b, 6, zigzag(f.Modified))
	return putUint(b, 7, zigzag(f.Changed))
}

func (f *FileState) field(w wireField) error {
	switch w.field {
	case 1:
		f.Path = w.str()
	case 2:
		f.Found = w.bool()
	case 3:
		f.Device = w.num
	case 4:
		f.Inode = w.num
	case 5:
		f.Size = unzigzag(w.num)
	case 6:
		f.Modified = unzigzag(w.num)
	case 7:
		f.Changed = unzigzag(w.num)
	}
	return nil
}
