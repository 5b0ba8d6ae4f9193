package spawn

import (
	"syscall"
	"time"
)

// AppendBinary appends the status in the encoding of spawnv1.ExitStatus. The
// error is always nil.
func (s *ExitStatus) AppendBinary(b []byte) ([]byte, error) {
	b = putUint(b, 1, zigzag(int64(s.Code)))
	b = putUint(b, 2, uint64(s.Signal))
	b = putBool(b, 3, s.Core)
	b = putString(b, 4, string(s.Source))
	b = putString(b, 5, s.Reason)
	b = putMessage(b, 6, s.Rusage.put)
	if !s.Time.IsZero() {
		b = putInt(b, 7, s.Time.UnixNano())
	}
	return putUint(b, 8, uint64(s.Exceeded)), nil
}

// UnmarshalBinary decodes what AppendBinary made.
func (s *ExitStatus) UnmarshalBinary(data []byte) error {
	*s = ExitStatus{}
	return eachField(data, func(w wireField) error {
		switch w.field {
		case 1:
			s.Code = int(unzigzag(w.num))
		case 2:
			s.Signal = syscall.Signal(w.num)
		case 3:
			s.Core = w.bool()
		case 4:
			s.Source = ExitSource(w.str())
		case 5:
			s.Reason = w.str()
		case 6:
			return eachField(w.data, s.Rusage.field)
		case 7:
			if w.num != 0 {
				s.Time = time.Unix(0, int64(w.num))
			}
		case 8:
			s.Exceeded = Exceeded(w.num)
		}
		return nil
	})
}

func (r *Rusage) put(b []byte) []byte {
	b = putInt(b, 1, int64(r.UserTime))
	b = putInt(b, 2, int64(r.SystemTime))
	b = putInt(b, 3, r.MaxRSS)
	b = putInt(b, 4, r.MinorFaults)
	b = putInt(b, 5, r.MajorFaults)
	b = putInt(b, 6, r.BlocksIn)
	b = putInt(b, 7, r.BlocksOut)
	b = putInt(b, 8, r.VoluntaryCS)
	return putInt(b, 9, r.InvoluntaryCS)
}

func (r *Rusage) field(w wireField) error {
	v := int64(w.num)
	switch w.field {
	case 1:
		r.UserTime = time.Duration(v)
	case 2:
		r.SystemTime = time.Duration(v)
	case 3:
		r.MaxRSS = v
	case 4:
		r.MinorFaults = v
	case 5:
		r.MajorFaults = v
	case 6:
		r.BlocksIn = v
	case 7:
		r.BlocksOut = v
	case 8:
		r.VoluntaryCS = v
	case 9:
		r.InvoluntaryCS = v
	}
	return nil
}
