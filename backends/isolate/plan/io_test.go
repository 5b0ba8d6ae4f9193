package plan

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestParseIO(t *testing.T) {
	want := Options{IO: []IOLimit{{Path: "/a:b", ReadBytes: 10 << 20, WriteOps: 100}, {Path: "/", WriteBytes: 1, ReadOps: 4294967295}}, IOWeight: 10_000}
	got, err := Parse(options(t, `io=/a\:b:rbps=10m,wiops=100`, "io=/:wbps=1,riops=4294967295", "io_weight=10000"))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if again, err := Parse(got.List()); cmp.Diff(got, again) != "" || err != nil {
		t.Errorf("there and back: %+v, %v", again, err)
	}
	for text, want := range map[string]string{
		"io=/dev/sda": "want PATH:LIMIT", "io=/dev/sda:10m": "want PATH:LIMIT", "io=sda:rbps=1": "want PATH:LIMIT", "io=/:rbps=0": "want PATH:LIMIT",
		"io=/:riops=1k": "want PATH:LIMIT", "io=/:rbps=1,rbps=2": "two limits rbps", "io=/:riops=4294967296": "riops=4294967296 is too much",
		"io=/:rbps=99999999t": "is too much", "io_weight=0": "want at least 1", "io_weight=10001": "want at most 10000",
	} {
		if _, err := Parse(options(t, text)); !errors.Is(err, spawn.ErrBadOption) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

func TestThrottle(t *testing.T) {
	limit := &IOLimit{ReadBytes: 1 << 20, WriteOps: 7}
	for version, want := range map[int][]string{
		1: {`openat2({result 9}, "blkio.throttle.read_bps_device", 1, 0, 0)`, `write({result 0}, "8:0 1048576")`, `close({result 0})`,
			`openat2({result 9}, "blkio.throttle.write_iops_device", 1, 0, 0)`, `write({result 3}, "8:0 7")`, `close({result 3})`},
		2: {`openat2({result 9}, "io.max", 1, 0, 0)`, `write({result 0}, "8:0 rbps=1048576 wiops=7")`, `close({result 0})`},
	} {
		m := &limiter{list: &list{}}
		m.throttle(group{fd: spawn.Result(9)}, cgroup.Place{Version: version}, "8:0", limit)
		var steps []string
		for _, s := range m.steps {
			steps = append(steps, s.String())
		}
		if diff := cmp.Diff(want, steps); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

// TestWeight: what the kernel would take and do nothing by is not to be had.
func TestWeight(t *testing.T) {
	stats := map[string]string{"/proc/diskstats": " 8 0 sda 1 2 3\n"}
	bfq := map[string]string{"/proc/diskstats": " 8 0 sda 1 2 3\n", "/sys/block/sda/queue/scheduler": "none [bfq]\n"}
	for _, files := range []map[string]string{stats, bfq} {
		files["/sys/fs/cgroup/cgroup.controllers"], files["/sys/fs/cgroup/cgroup.subtree_control"] = "io", "io"
	}
	costs := map[string]string{"/sys/fs/cgroup/cgroup.controllers": "io", "/sys/fs/cgroup/cgroup.subtree_control": "io", "/sys/fs/cgroup/io.cost.qos": "8:0 enable=1 ctrl=auto\n"}
	const one, oneGroup = "33 31 0:30 / /c/blkio rw - cgroup cgroup rw,blkio\n", "2:blkio:/x\n"
	denied := fs.ErrPermission
	for _, tt := range []struct {
		weight         int
		mounts, groups string
		files          map[string]string
		denied         error
		want           string // what is written where, or why not
	}{
		{100, one, oneGroup, bfq, nil, `"blkio.bfq.weight" write({result 2}, "100")`},
		{10_000, one, oneGroup, bfq, nil, `"blkio.bfq.weight" write({result 2}, "1000")`},
		{50, unified, "0::/a\n", bfq, nil, `"io.bfq.weight" write({result 2}, "50")`},
		{300, unified, "0::/a\n", costs, nil, `"io.weight" write({result 2}, "300")`},
		{300, unified, "0::/a\n", stats, nil, "none has the scheduler bfq"},
		{300, one, oneGroup, costs, nil, "none has the scheduler bfq"},
		{300, one, oneGroup, bfq, denied, "no control group can be made in /c/blkio/x"},
		{300, "", "", bfq, nil, "has the controller io"},
	} {
		o := Options{IOWeight: tt.weight}
		steps, _, _, err := limited(t, o, &identity{}, tt.mounts, tt.groups, tt.files, tt.denied)
		if err != nil {
			if e := spawn.AsError(err); !errors.Is(err, spawn.ErrUnavailable) || e.Op != "io_weight" || !strings.Contains(e.Msg, tt.want) || !strings.Contains(e.Msg, "best_effort=io") {
				t.Errorf("%+v: %v", tt, err)
			}
			for _, l := range []Layer{LayerIO, LayerCgroup} {
				o.BestEffort = []Layer{l}
				steps, notes, _, err := limited(t, o, &identity{}, tt.mounts, tt.groups, tt.files, tt.denied)
				if err != nil || len(steps) != 1 || len(notes) != 1 || !strings.HasPrefix(notes[0], "io_weight: missing: ") {
					t.Errorf("%+v, without it: %q, %q, %v", tt, steps, notes, err)
				}
			}
			continue
		}
		text := strings.NewReplacer("\n", " ", `openat2({result 1}, `, "", ", 1, 0, 0)", "").Replace(strings.Join(steps, "\n"))
		if !strings.Contains(text, tt.want) {
			t.Errorf("%+v: %s", tt, text)
		}
	}
}
