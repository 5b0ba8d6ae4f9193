"""A zygote that fails at a step of its life, or of that of a process it makes.

    zygote.py STEP:ACTION:HOWOFTEN DIR    started as a zygote: see docs/protocol.md
    zygote.py exit N                      exits with N at the end of its input
    zygote.py family                      has descendants, says so, and stays

The steps are those where pass_by is called; what has to fail once is noted in DIR.
Processes are made by a fork without an exec, so that all of them have the command
line and the environment of the first.
"""
import array
import ctypes
import os
import resource
import signal
import socket
import sys
import time

CLONE = {"x86_64": 56, "aarch64": 220}
CLONE_PARENT = 0x8000
step, action, often = "", "", ""
folder = ""


def due(where):
    """Reports whether this is the step, and the time, to fail."""
    if where != step:
        return False
    if often == "once":
        try:
            os.close(os.open(folder + "/failed", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
    return True


def pass_by(where):
    """Fails, if it is to be here. What does not concern the process itself is
    returned."""
    if not due(where):
        return None
    if action in ("kill", "stop"):
        os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)
    elif action == "exit":
        os._exit(3)
    elif action == "slow":
        time.sleep(0.15)
    elif action == "silent":
        while True:
            signal.pause()
    return action


class Channel:
    def __init__(self, fd):
        os.set_inheritable(fd, False)
        self.socket = socket.socket(fileno=fd)

    def send(self, *fields):
        text = b"\0".join(str(f).encode() for f in fields)
        try:
            self.socket.sendall(len(text).to_bytes(4, "little") + text, socket.MSG_NOSIGNAL)
        except OSError:
            os._exit(127)  # nobody wants it

    def receive(self):
        text, descriptors, size = b"", array.array("i"), 4
        while len(text) < size:
            data, given, _, _ = self.socket.recvmsg(size - len(text), socket.CMSG_SPACE(4 * 253), socket.MSG_CMSG_CLOEXEC)
            for _, _, packed in given:
                descriptors.frombytes(packed)
            if not data:
                os._exit(0)
            text += data
            if len(text) == 4:
                size += int.from_bytes(text, "little")
        return [f.decode() for f in text[4:].split(b"\0")], list(descriptors)


def fork():
    """Forks a child of this process's parent."""
    python, libc = ctypes.pythonapi, ctypes.PyDLL(None)
    libc.syscall.argtypes = [ctypes.c_long] * 6
    python.PyOS_BeforeFork()
    pid = libc.syscall(CLONE[os.uname().machine], CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        python.PyOS_AfterFork_Child()
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # when the parent ends
    else:
        python.PyOS_AfterFork_Parent()
    return pid


def serve(channel):
    """Makes a process for each request, and returns in such a one its channel."""
    kind, version = "fork", 1
    what = pass_by("boot")
    if what == "kind":
        kind = "thread"
    elif what == "version":
        version = 2
    elif what == "garbage":
        channel.socket.sendall(b"\xff" * 8)
    channel.send("ready", kind, version)
    pass_by("ready")
    while True:
        fields, (given,) = channel.receive()
        if pass_by("asked") == "refuse":
            channel.send("refused", fields[1], 16, "2 threads (main, other)")
            os.close(given)
            continue
        pid = fork()
        if pid == 0:
            channel.socket.close()
            return Channel(given)
        os.close(given)
        answer(channel, fields[1], pid, pass_by("forked"))
        pass_by("born")


def answer(channel, request, pid, lie):
    """Says that the process was made, or something else."""
    if lie == "mute":
        return
    if lie == "dead":
        os.kill(pid, signal.SIGKILL)
        while os.path.exists("/proc/%d" % pid):
            time.sleep(0.001)
    if lie == "garbage":
        channel.socket.sendall(b"\xff" * 8)
    if lie == "half":
        channel.socket.sendall(b"\x20\0\0\0born")
        os._exit(1)
    if lie == "other":
        request = "999"
    pid = {"self": os.getpid(), "parent": os.getppid(), "first": 1, "number": "one"}.get(lie, pid)
    for _ in range(2 if lie == "twice" else 1):
        channel.send("born", request, pid)


def become(channel):
    """Waits in a process that was made, and returns its arguments."""
    pass_by("child")
    channel.send("ready", "pool", 1)
    pass_by("waits")
    fields, (report, *given) = channel.receive()
    channel.socket.close()
    report = Channel(report)
    what = pass_by("told")
    if what == "close":
        report.socket.close()
        signal.pause()
    elif what == "garbage":
        report.socket.sendall(b"\xff" * 8)
    elif what == "words":
        report.send("what", "is", "this")
    at = 3 + int(fields[2])
    for setting in fields[3:at]:
        apply(setting, given, report)
    arguments = fields[at + 1 : at + 1 + int(fields[at])]
    pass_by("begun")
    report.send("started")
    report.socket.close()
    pass_by("started")
    return arguments


def apply(setting, given, report):
    name, _, value = setting.partition("=")
    if name == "fd":
        if report.socket.fileno() == int(value):
            report.socket = report.socket.dup()
        fd = given.pop(0)
        for i, other in enumerate(given):
            if other == int(value):
                given[i] = os.dup(other)
        os.dup2(fd, int(value))
        if fd != int(value):
            os.close(fd)
    elif name == "cwd":
        fd = given.pop(0)
        os.fchdir(fd)
        os.close(fd)
    elif name == "umask":
        os.umask(int(value, 8))
    elif name == "group":
        os.setpgid(0, int(value))
    elif name == "rlimit":
        which, soft, hard = map(int, value.split(":"))
        resource.setrlimit(which, (soft, hard))
    else:
        report.send("failed", setting, 38, "")
        os._exit(127)


def family():
    """Has a descendant in a session of its own, and a daemon, which has descriptor 4
    alone. They are deaf, and share all else with this process."""
    for s in signal.SIGTERM, signal.SIGHUP:
        signal.signal(s, signal.SIG_IGN)
    r, w = os.pipe()
    for daemon in True, False:
        descend(w, daemon)
        os.read(r, 1)
    os.write(1, b"\n")
    rest()


def descend(w, daemon):
    if os.fork():
        return
    os.setsid()
    if daemon:
        os.close(3)
        if os.fork():
            os._exit(0)
    os.write(w, b"x")
    rest()


def rest():
    while True:
        signal.pause()


def main(arguments):
    if arguments[0] == "family":
        family()
    while os.read(0, 100):
        pass
    os._exit(int(arguments[1]))


if "HATCHERY_ZYGOTE" in os.environ:
    step, action, often = sys.argv[1].split(":")
    folder = sys.argv[2]
    main(become(serve(Channel(int(os.environ.pop("HATCHERY_ZYGOTE")))))[3:])
main(sys.argv[1:])
