#!/usr/bin/env python3
"""The spawn method "beside": a spawner in JSON, see docs/protocol.md. Its children are its own."""
import base64, json, os, signal, socket, struct, subprocess, sys, threading

SPAWN, SPAWNED, EXITED, SIGNAL, SIGNALED, FAILED, CANCEL, HELLO = 3, 4, 5, 6, 7, 8, 9, 11
SERVED = {"path", "args", "env_set", "env", "dir", "file_count", "open_files", "umask_plus_one"}
children = {}  # what runs, by the id of its Spawn


def raw(encoded):
    return base64.b64decode(encoded)


def refused(kind, text):
    return {"kind": kind, "phase": "plan", "msg": base64.b64encode(text.encode()).decode()}


def say(kind, ident, message=None):
    payload = json.dumps(message).encode("ascii") if message is not None else b""
    lane.send(struct.pack("<BBHIQ", kind, 0, 0, len(payload), ident) + payload)


def why_not(spec, numbers):
    """What is asked for and cannot be had, or None: a child never has less than was asked for."""
    if spec.get("options"):
        return refused("ERROR_KIND_BAD_OPTION", f"{raw(spec['options'][0]['key']).decode(errors='replace')}: it has no options")
    if missing := sorted(set(spec) - SERVED) + ["files"] * any(n > 2 for n in numbers):
        return refused("ERROR_KIND_UNAVAILABLE", f"{', '.join(missing)}: this method cannot do that")
    return None


def spawn(ident, spec, numbers, fds):
    stdio = [fds[numbers.index(n)] if n in numbers else subprocess.DEVNULL for n in range(3)]
    env = dict(raw(v).partition(b"=")[::2] for v in spec.get("env", [])) if spec.get("env_set") else None
    try:
        child = subprocess.Popen(
            [raw(a) for a in spec.get("args", [spec["path"]])], executable=raw(spec["path"]), env=env,
            cwd=raw(spec["dir"]) if "dir" in spec else None, umask=int(spec.get("umask_plus_one", 0)) - 1,
            stdin=stdio[0], stdout=stdio[1], stderr=stdio[2], start_new_session=True)
    except OSError as e:
        return say(FAILED, ident, {"errno": e.errno, "phase": "exec", "path": spec["path"]})
    children[ident] = child
    say(SPAWNED, ident)  # before its Exited, which the thread says
    threading.Thread(target=wait, args=(ident, child), daemon=True).start()


def wait(ident, child):
    code = child.wait()
    say(EXITED, ident, {"code": code, "source": "backend"} if code >= 0 else {"code": -1, "signal": -code, "source": "backend"})
    children.pop(ident, None)


def send(child, number):
    """SIGKILL is for everything in the child's session."""
    if child and child.poll() is None:
        os.killpg(child.pid, number) if number == signal.SIGKILL else child.send_signal(number)


def main():
    say(HELLO, 0, {"key": "beside", "summary": "programs as children of the plugin", "status": "experimental",
                   "api_version": 1, "features": ["spawner", "can:programs", "can:directory", "can:umask"]})
    while True:
        frame, fds, _, _ = socket.recv_fds(lane, 16 + 65536, 253)
        if not frame:
            break  # the host is gone
        kind, flags, _, size, ident = struct.unpack("<BBHIQ", frame[:16])
        payload = os.pread(fds.pop(0), size, 0) if flags & 1 else frame[16:]
        if kind == SPAWN:
            spec = json.loads(payload)
            numbers = spec.get("open_files", [])
            if why := why_not(spec, numbers):
                say(FAILED, ident, why)
            else:
                spawn(ident, spec, numbers, fds)
        elif kind == SIGNAL:
            m = json.loads(payload)
            send(children.get(int(m["child"])), m["signal"])
            say(SIGNALED, ident)
        elif kind == CANCEL:
            send(children.get(ident), signal.SIGKILL)
        for fd in fds:
            os.close(fd)
    for child in list(children.values()):
        send(child, signal.SIGKILL)


if __name__ == "__main__":
    if "HATCHERY_PLUGIN_COOKIE" not in os.environ:
        sys.exit('This is the spawn backend "beside" of Hatchery: a host starts it. Put it into a backend folder.')
    lane = socket.socket(fileno=4)
    for name in [n for n in os.environ if n.startswith(("HATCHERY_", "PLUGIN_"))]:
        del os.environ[name]
    main()
