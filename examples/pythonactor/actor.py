#!/usr/bin/env python3
"""An actor in Python: docs/protocol.md and the standard library are all it needs.

Its entry point "letters" counts the letters of its arguments, "fail" fails, and
"serve" waits until it is canceled. While it counts it does not read its channel;
a parent that wants it to end then sends it SIGTERM after half a second.
"""
import base64, json, os, signal, socket, struct, sys, traceback

HELLO, SPAWN, STARTED, CANCEL, CONNECT, ANSWER, ENDED = range(1, 8)

def send(kind, content, id=0):
    body = json.dumps(content).encode()
    channel.sendall(struct.pack("<BBHIQ", kind, 0, 0, len(body), id) + body)

def exactly(size):
    data = b""
    while len(data) < size:
        more, fds, _, _ = socket.recv_fds(channel, size - len(data), 250)
        for fd in fds:
            os.close(fd)  # the end of a connection, which nobody here wants
        if not more:
            os._exit(1)  # the parent is gone
        data += more
    return data

def receive():
    kind, _, _, size, id = struct.unpack("<BBHIQ", exactly(16))
    return kind, id, json.loads(exactly(size))

def run(entry, args):
    if entry == "letters":
        return sum(map(len, args)), None
    if entry == "fail":
        raise ValueError("a value that makes no sense: " + args[0])
    while True:
        kind, id, content = receive()
        if kind == CANCEL:
            send(ANSWER, {}, id)
            return None, content
        if id:
            send(ANSWER, {"error": {"text": "not known here"}}, id)

if "HATCHERY_ACTOR_CHANNEL" not in os.environ:
    print("this program is an actor: it does nothing unless a parent starts it", file=sys.stderr)
    sys.exit(2)
channel = socket.socket(fileno=int(os.environ.pop("HATCHERY_ACTOR_CHANNEL")))
channel.set_inheritable(False)
signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
send(HELLO, {"version": 1, "pid": os.getpid()})
_, _, spec = receive()
send(STARTED, {})
try:
    result, canceled = run(spec["entry"], spec.get("args", []))
except Exception as e:
    send(ENDED, {"error": {"text": str(e), "type": type(e).__name__, "stack": traceback.format_exc(), "path": [spec["name"]]}})
    sys.exit(1)
if canceled is None:
    send(ENDED, {"result": result})
else:
    data = base64.b64encode(json.dumps(canceled).encode()).decode()
    send(ENDED, {"canceled": True, "error": {"text": "canceled", "type": "canceled", "data": data, "path": [spec["name"]]}})
    sys.exit(143)
