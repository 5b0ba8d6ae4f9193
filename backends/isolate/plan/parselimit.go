package plan

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// setLimit reads a limit. Zero, which stands for none in Options, is none that can
// be asked for.
func (o *Options) setLimit(key, value string) error {
	var err error
	switch key {
	case "memory":
		o.Memory, err = parseBytes(value)
	case "cpus":
		o.CPUs, err = strconv.ParseFloat(value, 64)
	case "pids":
		o.Pids, err = strconv.Atoi(value)
	case "wall":
		o.Wall, err = time.ParseDuration(value)
	case "cpu_time":
		o.CPUTime, err = time.ParseDuration(value)
	}
	if err != nil || o.limit(key) == 0 {
		return badOption("%s=%s: want %s", key, short(value), wantLimit(key))
	}
	return nil
}

// limit returns a limit as a number.
func (o *Options) limit(key string) float64 {
	switch key {
	case "memory":
		return float64(o.Memory)
	case "cpus":
		return o.CPUs
	case "pids":
		return float64(o.Pids)
	case "wall":
		return float64(o.Wall)
	}
	return float64(o.CPUTime)
}

func wantLimit(key string) string {
	switch key {
	case "memory":
		return "bytes, 1m at least, as in 64m or 1g"
	case "cpus":
		return "a number of processors from 0.01 to 10000, as in 1.5"
	case "pids":
		return "a number of processes from 1 to 4194304"
	}
	return "a time, 1ms at least, as in 10s or 1m30s"
}

// checkLimits refuses limits that nobody can keep.
func (o *Options) checkLimits() error {
	for key, within := range map[string][2]float64{
		"memory": {MinMemory, math.MaxInt64 / 2}, "cpus": {0.01, 10_000}, "pids": {1, 1 << 22},
		"wall": {float64(time.Millisecond), math.MaxInt64}, "cpu_time": {float64(time.Millisecond), math.MaxInt64},
	} {
		if v := o.limit(key); v != 0 && !(within[0] <= v && v <= within[1]) { // a NaN is not within
			return badOption("%s is out of range: want %s", key, wantLimit(key))
		}
	}
	return nil
}

// parseBytes reads 64m: powers of 1024.
func parseBytes(value string) (int64, error) {
	shift := 0
	if last := len(value) - 1; last > 0 {
		if n := strings.IndexByte("kmgt", value[last]|0x20); n >= 0 {
			value, shift = value[:last], 10*(n+1)
		}
	}
	n, err := strconv.ParseUint(value, 10, 62-shift)
	return int64(n << shift), err
}
