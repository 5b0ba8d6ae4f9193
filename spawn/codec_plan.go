package spawn

import "fmt"

// maxSteps bounds what a backend can make the keeper walk through, maxPlan the
// bytes of an encoded plan: decoded it takes up to sixteen times as much
// memory. The longest step there is, 65536 groups, needs less.
const (
	maxSteps = 4096
	maxPlan  = 1 << 20
)

// AppendBinary appends the plan in the encoding of spawnv1.Plan. Files are not
// part of it: they travel beside the message, in order. The error is always
// nil.
func (p *Plan) AppendBinary(b []byte) ([]byte, error) {
	for _, s := range p.Steps {
		b = putMessage(b, 1, s.put)
	}
	b = putBool(b, 2, p.Reusable)
	b = putElems(b, 3, p.Notes)
	if p.Basis != nil {
		b = putMessage(b, 4, p.Basis.put)
	}
	return b, nil
}

// UnmarshalBinary decodes what AppendBinary made. Files is left as it is.
func (p *Plan) UnmarshalBinary(data []byte) error {
	p.Steps, p.Reusable, p.Notes, p.Basis = nil, false, nil, nil
	if len(data) > maxPlan {
		return fmt.Errorf("%w: a plan of %d bytes, at most %d", errMalformed, len(data), maxPlan)
	}
	return eachField(data, func(w wireField) error {
		switch w.field {
		case 1:
			if len(p.Steps) == maxSteps {
				return fmt.Errorf("%w: more than %d steps", errMalformed, maxSteps)
			}
			var s Step
			if err := eachField(w.data, s.field); err != nil {
				return err
			}
			p.Steps = append(p.Steps, s)
		case 2:
			p.Reusable = w.bool()
		case 3:
			p.Notes = append(p.Notes, w.str())
		case 4:
			if p.Basis == nil {
				p.Basis = new(Basis)
			}
			return eachField(w.data, p.Basis.field)
		}
		return nil
	})
}

func (s Step) put(b []byte) []byte {
	b = putString(b, 1, string(s.Op))
	for _, a := range s.Args {
		b = putMessage(b, 2, a.put)
	}
	return putString(b, 3, s.Note)
}

func (s *Step) field(w wireField) error {
	switch w.field {
	case 1:
		s.Op = Op(w.str())
	case 2:
		var a Arg
		if err := eachField(w.data, a.field); err != nil {
			return err
		}
		s.Args = append(s.Args, a)
	case 3:
		s.Note = w.str()
	}
	return nil
}

func (a Arg) put(b []byte) []byte {
	b = putUint(b, 1, uint64(a.Kind))
	b = putUint(b, 2, zigzag(a.Num))
	return putString(b, 3, a.Str)
}

func (a *Arg) field(w wireField) error {
	switch w.field {
	case 1:
		a.Kind = ArgKind(min(w.num, 255))
	case 2:
		a.Num = unzigzag(w.num)
	case 3:
		a.Str = w.str()
	}
	return nil
}
