package early

// What package wire has for the whole of the protocol, from its generated code,
// which is initialised late.
const (
	laneFD     = 4
	apiVersion = 1
	maxPlan    = 1 << 20 // bytes

	typePlan    = 1
	typePlanned = 2
	typeFailed  = 8
	typeCancel  = 9
	typeEarly   = 10
	typeHello   = 11
)
