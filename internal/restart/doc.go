// Package restart decides whether, and when, something that failed is started
// again: the arithmetic of supervision, without a clock or a process.
//
// A [Backoff] says how long to wait before the next try, longer after each
// failure in a row and never the same for two who failed together. An
// [Intensity] says when to give up: it counts the failures of the last while,
// as the supervisors of Erlang/OTP do, so that something that fails once a day
// is restarted for ever and something that fails at every start is not.
//
//	b := restart.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}
//	i := restart.Intensity{Max: 5, Within: time.Minute}
//	if i.Add(time.Now()) {
//		// give up
//	}
//	time.AfterFunc(b.Delay(failures, rand.Float64()), again)
package restart
