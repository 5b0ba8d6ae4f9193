package portal

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
)

// A Server is what a process has for the other side of its portals: functions,
// registered by Handle, HandleSeq and HandleStream, and generated services. The
// zero value is empty and ready for use. What is registered is used concurrently,
// once a portal has been made with it nothing may be added.
type Server struct {
	functions []function
	services  []service
}

var _ grpc.ServiceRegistrar = (*Server)(nil)

// A function is one or the other.
type function struct {
	method *grpc.MethodDesc
	stream *grpc.StreamDesc
}

func (f *function) name() string {
	if f.method != nil {
		return f.method.MethodName
	}
	return f.stream.StreamName
}

type service struct {
	desc *grpc.ServiceDesc
	impl any
}

// RegisterService is what generated code calls: pb.RegisterGreeterServer(&s, impl).
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.services = append(s.services, service{desc, impl})
}

// functionService is the service whose methods are the functions.
const (
	functionService = "hatchery.portal.v1.Functions"
	functionPrefix  = "/" + functionService + "/"
)

// maxName is how long the name of a function may be.
const maxName = 128

// checkName says what is wrong with the name of a function. It is part of a path.
func checkName(name string) error {
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '.', r == '-':
		default:
			return nameError(name, "want letters, digits, '_', '.' and '-'")
		}
	}
	if name == "" || len(name) > maxName {
		return nameError(name, fmt.Sprintf("want 1 to %d bytes", maxName))
	}
	return nil
}

func nameError(name, what string) error {
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "portal function", Errno: syscall.EINVAL, Msg: fmt.Sprintf("%q: %s", name, what)}
}

// check says what is wrong with what was registered: grpc would end the program.
func (s *Server) check() error {
	var errs []error
	seen := map[string]bool{}
	for i := range s.functions {
		name := s.functions[i].name()
		if err := checkName(name); err != nil {
			errs = append(errs, err)
		}
		if seen[name] {
			errs = append(errs, nameError(name, "it is registered twice"))
		}
		seen[name] = true
	}
	for _, sv := range s.services {
		switch name := sv.desc.ServiceName; {
		case seen["/"+name], name == functionService:
			errs = append(errs, nameError(name, "the service is registered twice"))
		case sv.impl != nil && !reflect.TypeOf(sv.impl).Implements(reflect.TypeOf(sv.desc.HandlerType).Elem()):
			errs = append(errs, nameError(name, fmt.Sprintf("%T does not implement the service", sv.impl)))
		default:
			seen["/"+name] = true
		}
	}
	return errors.Join(errs...)
}

// register registers all with grpc, for a portal.
func (s *Server) register(g *grpc.Server, p *Portal) {
	desc := &grpc.ServiceDesc{ServiceName: functionService, HandlerType: (*any)(nil)}
	for _, f := range s.functions {
		if f.method != nil {
			desc.Methods = append(desc.Methods, *f.method)
		} else {
			desc.Streams = append(desc.Streams, *f.stream)
		}
	}
	g.RegisterService(desc, p)
	for _, sv := range s.services {
		g.RegisterService(sv.desc, sv.impl)
	}
}
