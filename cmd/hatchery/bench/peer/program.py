"""Starts a child by the forkserver of multiprocessing for each line that it
reads, and says how many nanoseconds it took from the request until a function
ran in the child. The modules, the only argument, are loaded by the forkserver,
which starts with the first child."""
import multiprocessing, sys, time

c = multiprocessing.get_context("forkserver")
c.set_forkserver_preload(sys.argv[1].split(","))
for _ in sys.stdin:
    r, w = c.Pipe(False)
    p = c.Process(target=w.send_bytes, args=(b"!",))
    t = time.perf_counter_ns()
    p.start()
    r.recv_bytes()
    t = time.perf_counter_ns() - t
    p.join()
    r.close()
    w.close()
    print(t, flush=True)
