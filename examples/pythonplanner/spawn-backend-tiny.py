#!/usr/bin/env python3
"""The spawn method "tiny", for a host of Hatchery: see docs/protocol.md there."""
import base64, json, os, socket, struct, sys

PLAN, PLANNED, FAILED, HELLO = 1, 2, 8, 11
KNOWN = set("""path args env_set env dir file_count open_files session group terminal_plus_one credential
    umask_plus_one limits ignore no_new_privs options foreground_plus_one""".split())
SUMMARY = "what an ordinary child is; option nice=N, 0 to 19"
SCHEMA = {
    "properties": {
        "nice": {"type": "integer", "minimum": 0, "maximum": 19, "description": "the priority, 19 is the lowest"},
    },
    "additionalProperties": False,
}


class Refused(Exception):
    """Whoever asked wants what cannot be had."""


def text(encoded):
    return base64.b64decode(encoded).decode("utf-8", "surrogateescape")


def raw(s):
    return base64.b64encode(s.encode("utf-8", "surrogateescape")).decode("ascii")


def num(n):
    return {"kind": "ARG_KIND_INT", "num": int(n)}


def hole(n):
    return {"kind": "ARG_KIND_HOLE", "num": n}


def step(op, *args):
    return {"op": op, "args": list(args)}


PATH, ARGV, ENVP, DIR = hole(1), hole(2), hole(3), hole(4)


def plan(spec):
    """Turn what the caller wants into the steps that make the child, in order."""
    if unknown := sorted(set(spec) - KNOWN):
        raise Refused(f"{', '.join(unknown)}: this backend is older than what the host asks for")
    nice = None
    for option in spec.get("options", []):
        key, value = text(option["key"]), text(option.get("value", ""))
        if key != "nice" or not value.isdecimal() or int(value) > 19:
            raise Refused(f"{key}={value}: want nice=N, 0 to 19")
        nice = int(value)
    steps = [step("clone", num(0))]
    group = int(spec.get("group", 0))
    if spec.get("session"):
        steps.append(step("setsid"))
    elif group:
        steps.append(step("setpgid", num(max(group, 0))))
    steps.append(step("files"))
    for l in spec.get("limits", []):
        both = [struct.unpack("<q", struct.pack("<Q", int(l.get(k, 0))))[0] for k in ("soft", "hard")]
        steps.append(step("prlimit", num(l.get("resource", 0)), *map(num, both)))
    if "umask_plus_one" in spec:
        steps.append(step("umask", num(int(spec["umask_plus_one"]) - 1)))
    if "credential" in spec:
        who = spec["credential"]
        if not who.get("keep_groups"):
            steps.append(step("setgroups", *map(num, who.get("groups", []))))
        steps += [step("setresgid", num(who.get("gid", 0))), step("setresuid", num(who.get("uid", 0)))]
    if spec.get("no_new_privs"):
        steps.append(step("no_new_privs"))
    steps.append(step("pdeathsig", num(9)))
    steps += [step("ignore", num(signal)) for signal in spec.get("ignore", [])]
    if "dir" in spec:
        steps.append(step("chdir", DIR))
    if "terminal_plus_one" in spec:
        steps.append(step("tiocsctty", num(int(spec["terminal_plus_one"]) - 1)))
    if "foreground_plus_one" in spec:
        steps.append(step("tiocspgrp", num(int(spec["foreground_plus_one"]) - 1), num(max(group, 0))))
    if nice is not None:
        steps.append(step("setpriority", num(nice)))
    return {"steps": steps + [step("exec", PATH, ARGV, ENVP)], "reusable": True}


def main():
    if "HATCHERY_PLUGIN_COOKIE" not in os.environ:
        sys.exit('This is the spawn backend "tiny" of Hatchery: a host starts it. Put it into a backend folder.')
    lane = socket.socket(fileno=4)

    def say(kind, ident, message):
        payload = json.dumps(message).encode("ascii")
        lane.send(struct.pack("<BBHIQ", kind, 0, 0, len(payload), ident) + payload)

    say(HELLO, 0, {"key": "tiny", "summary": SUMMARY, "status": "experimental", "api_version": 1, "features": ["planner"],
                   "options_schema": json.dumps(SCHEMA)})
    while True:
        frame, fds, _, _ = socket.recv_fds(lane, 16 + 65536, 253)
        if not frame:
            return  # the host is gone, or has no use for this process any more
        kind, flags, _, size, ident = struct.unpack("<BBHIQ", frame[:16])
        payload = os.pread(fds[0], size, 0) if flags & 1 else frame[16:]
        for fd in fds:
            os.close(fd)
        if kind == PLAN:
            try:
                say(PLANNED, ident, plan(json.loads(payload)))
            except Refused as why:
                say(FAILED, ident, {"kind": "ERROR_KIND_BAD_OPTION", "msg": raw(str(why))})


if __name__ == "__main__":
    main()
