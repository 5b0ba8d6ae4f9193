package early

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"google.golang.org/protobuf/proto"
)

// The numbers here are those of the protocol.
func TestNumbers(t *testing.T) {
	for got, want := range map[uint8]spawnv1.LaneType{
		typePlan: spawnv1.LaneType_LANE_TYPE_PLAN, typePlanned: spawnv1.LaneType_LANE_TYPE_PLANNED,
		typeFailed: spawnv1.LaneType_LANE_TYPE_FAILED, typeCancel: spawnv1.LaneType_LANE_TYPE_CANCEL,
		typeEarly: spawnv1.LaneType_LANE_TYPE_EARLY, typeHello: spawnv1.LaneType_LANE_TYPE_HELLO,
	} {
		if spawnv1.LaneType(got) != want {
			t.Errorf("%d, want %d (%v)", got, want, want)
		}
	}
	if laneFD != wire.LaneFD || apiVersion != wire.APIVersion {
		t.Errorf("descriptor %d, API version %d: want %d, %d", laneFD, apiVersion, wire.LaneFD, wire.APIVersion)
	}
}

func TestHello(t *testing.T) {
	m := new(spawnv1.DescribeResponse)
	if err := proto.Unmarshal(hello("forkexec"), m); err != nil {
		t.Fatal(err)
	}
	want := &spawnv1.DescribeResponse{Key: "forkexec", ApiVersion: wire.APIVersion, Features: []string{wire.FeaturePlanner}}
	if !proto.Equal(m, want) {
		t.Errorf("got %v, want %v", m, want)
	}
}
