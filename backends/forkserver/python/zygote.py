"""A Python interpreter that is warm: it preloads modules, then forks processes
each of which waits for a program that it is to be.

It speaks the zygote channel of Hatchery (docs/protocol.md) and needs CPython
3.9 or later with ctypes, glibc, and a kernel that has PR_GET_TID_ADDRESS.

The interpreter is started with this text as "-c"; what follows on the command
line is preloaded. A child must be what "python3 script.py" would be, down to
its stack: no frame of this file may stand below the program. So the text ends
with an exception, and the interpreter, its frames unwound, calls
sys.excepthook from C. That hook is a function of ctypes; the loop below runs
while its arguments are converted, and returns, in a child only, the function
of the C API that the interpreter itself would have called next.
"""
import _signal
import _socket
import ctypes
import functools
import gc
import importlib
import io
import os
import resource
import sys

PROTOCOL = b"1"
EBUSY, ENOSYS = 16, 38

# System calls by their number: clone, set_robust_list, get_robust_list,
# close_range, and whether clone takes the thread's area before the child's id.
CALLS = {
    "x86_64": (56, 273, 274, 436, False),
    "aarch64": (220, 99, 100, 436, True),
    "riscv64": (220, 99, 100, 436, True),
}
CLONE_PARENT, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x8000, 0x200000, 0x1000000
PR_SET_PDEATHSIG, PR_GET_TID_ADDRESS = 1, 40
TIOCSCTTY = 0x540E
PYCF_IGNORE_COOKIE = 0x0800


class Ready(Exception):
    """Ends the boot; see above."""


class Failed(Exception):
    """A child could not become what it should: what, errno, text."""


class Channel:
    """Frames of NUL-separated fields, with descriptors, on a stream socket."""

    def __init__(self, fd):
        os.set_inheritable(fd, False)
        self.socket = _socket.socket(fileno=fd)

    def send(self, *fields, ancillary=()):
        payload = b"\0".join(fields)
        data = memoryview(len(payload).to_bytes(4, "little") + payload)
        while data:
            data = data[self.socket.sendmsg([data], ancillary, _socket.MSG_NOSIGNAL) :]
            ancillary = ()

    def receive(self, room=4):
        """Returns fields and descriptors of one frame, or None at the end. No
        other frame follows within room bytes."""
        text, descriptors, size = b"", [], 4
        while len(text) < size:
            data, ancillary, _, _ = self.socket.recvmsg(
                max(room, size) - len(text), _socket.CMSG_SPACE(4 * 253), _socket.MSG_CMSG_CLOEXEC
            )
            for level, kind, packed in ancillary:
                if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                    for i in range(0, len(packed) - 3, 4):
                        descriptors.append(int.from_bytes(packed[i : i + 4], sys.byteorder))
            if not data:
                return None
            text += data
            if size == 4 <= len(text):
                size += int.from_bytes(text[:4], "little")
        return text[4:].split(b"\0"), descriptors


class Kernel:
    """What package os has no name for."""

    def __init__(self):
        try:
            calls = CALLS[os.uname().machine]
        except KeyError:
            raise SystemExit("hatchery: python on %s cannot be forked" % os.uname().machine)
        self.clone, self.set_robust, get_robust, self.close_range, tls_first = calls
        self.libc = ctypes.PyDLL(None, use_errno=True)
        self.call = self.libc.syscall
        self.call.restype = ctypes.c_long
        self.call.argtypes = [ctypes.c_long] * 6
        self.before = ctypes.pythonapi.PyOS_BeforeFork
        self.after_parent = ctypes.pythonapi.PyOS_AfterFork_Parent
        self.after_child = ctypes.pythonapi.PyOS_AfterFork_Child
        for f in (self.before, self.after_parent, self.after_child):
            f.restype = None
        self.block = ctypes.c_char_p * 256  # most environments; to make a type takes long
        self.environ = ctypes.c_void_p.in_dll(self.libc, "environ")
        where = self._tid_address()
        flags = CLONE_PARENT | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | _signal.SIGCHLD
        self.arguments = (self.clone, flags, 0, 0) + ((0, where) if tls_first else (where, 0))
        # The kernel forgets the list of robust locks in a child; libc does not.
        head, size = ctypes.c_ulong(), ctypes.c_ulong()
        self.call(get_robust, 0, ctypes.addressof(head), ctypes.addressof(size), 0, 0)
        self.robust = (self.set_robust, head.value, size.value, 0, 0, 0)

    def _tid_address(self):
        """Where libc keeps the thread's id: it must be right in the child."""
        where = ctypes.c_ulong()
        prctl = self.libc.prctl
        if prctl(PR_GET_TID_ADDRESS, ctypes.byref(where), 0, 0, 0) != 0:
            raise SystemExit("hatchery: this kernel has no PR_GET_TID_ADDRESS (CONFIG_CHECKPOINT_RESTORE)")
        if ctypes.c_int.from_address(where.value).value != os.getpid():
            raise SystemExit("hatchery: this C library does not keep its thread's id where glibc does")
        return where.value

    def fork(self):
        """Forks a child of this process's parent. Single-threaded only."""
        self.before()
        pid = self.call(*self.arguments)
        if pid == 0:
            self.after_child()
            self.call(*self.robust)
            self.libc.prctl(PR_SET_PDEATHSIG, int(_signal.SIGKILL), 0, 0, 0)
            return 0
        error = ctypes.get_errno()
        self.after_parent()
        if pid < 0:
            raise OSError(error, os.strerror(error))
        return pid

    def close_between(self, first, last):
        if first <= last and self.call(self.close_range, first, last, 0, 0, 0) != 0:
            for name in os.listdir("/proc/self/fd"):  # before Linux 5.9
                if first <= int(name) <= last:
                    try:
                        os.close(int(name))
                    except OSError:
                        pass  # the one that listdir used

    def set_environ(self, entries):
        """Makes entries, byte for byte, the environment that C sees."""
        kind = self.block
        if len(entries) >= kind._length_:
            kind = ctypes.c_char_p * (len(entries) + 1)
        block = kind(*entries)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(block))  # C keeps it
        self.environ.value = ctypes.addressof(block)


def threads():
    """Names the threads if there are several, Python's by their names."""
    if os.stat("/proc/self/task").st_nlink <= 3:
        return []
    known = {}
    if "threading" in sys.modules:
        known = {t.native_id: t.name for t in sys.modules["threading"].enumerate()}
    names = []
    for tid in sorted(map(int, os.listdir("/proc/self/task"))):
        try:
            with open("/proc/self/task/%d/comm" % tid) as f:
                names.append(known.get(tid) or f.read().strip())
        except OSError:
            pass  # it ended meanwhile
    return names if len(names) > 1 else []


def preload(name):
    """Imports a module; of one that is not there no traceback is of interest."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name and (name + ".").startswith(e.name + "."):
            raise SystemExit("preload=%s: %s" % (name, e))
        raise


class Shim:
    """A script that has chosen the interpreter, and changed variables."""

    def __init__(self, names):
        self.names = None
        if names is None:
            return
        self.names = names.split()
        self.program = os.fsencode(getattr(sys, "orig_argv", [sys.executable])[0])
        self.changed = [k + b"=" + v for k, v in os.environb.items() if self._may_change(k)]

    def _may_change(self, name):
        return any(name == n or n[-1:] == b"*" and name.startswith(n[:-1]) for n in self.names)

    def apply(self, argv, environment):
        """Returns what the script would have passed on."""
        if self.names is None:
            return argv, environment
        kept = [e for e in environment if not self._may_change(e.partition(b"=")[0])]
        return [self.program, *argv[1:]], kept + self.changed


class Template:
    """What the interpreter was at its start, and children are to be again."""

    def __init__(self, modules):
        self.path0 = not (sys.flags.isolated or getattr(sys.flags, "safe_path", False))
        if self.path0:
            del sys.path[0]
        self.kernel = Kernel()
        self.coerced = self._coerced()
        self.shim = Shim(os.environb.pop(b"HATCHERY_ZYGOTE_SHIM", None))
        self.signals = {s: _signal.getsignal(s) for s in _signal.valid_signals()}
        self.streams = [(f.encoding, f.errors) for f in (sys.stdin, sys.stdout, sys.stderr)]
        self.buffered = not sys.stdout.write_through
        locale = importlib.import_module("_locale")
        categories = {c: locale.setlocale(c, None) for c in range(13) if c != locale.LC_ALL}
        for name in modules:
            preload(name)
        self.imports = "".join("import %s\n" % n for n in modules if n.replace(".", "").isidentifier()).encode()
        self.main = dict(vars(sys.modules["__main__"]))
        for s, handler in self.signals.items():
            if handler is not None and _signal.getsignal(s) != handler:
                _signal.signal(s, handler)
        for c, value in categories.items():
            if locale.setlocale(c, None) != value:
                locale.setlocale(c, value)
        if "linecache" in sys.modules:  # it has the boot's "-c", since 3.13
            sys.modules["linecache"].clearcache()
        self.excepthook = sys.excepthook
        self.park()

    def _coerced(self):
        """Returns the LC_CTYPE that the interpreter put into its environment."""
        with open("/proc/self/environ", "rb") as f:
            given = f.read().split(b"\0")
        entry = b"LC_CTYPE=" + os.environb.get(b"LC_CTYPE", b"")
        return None if entry in given or b"LC_CTYPE" not in os.environb else entry

    def park(self):
        """Empties the buffers, and keeps the collector off what is shared."""
        for f in (sys.stdout, sys.stderr):
            f.flush()
        self.kernel.libc.fflush(None)
        gc.collect()
        gc.freeze()

    def serve(self, channel):
        """Forks a process for each request; returns in such a one only."""
        while True:
            frame = channel.receive()
            if frame is None:
                os._exit(0)
            fields, descriptors = frame
            if fields[0] != b"fork" or len(descriptors) != 1:
                os._exit(1)
            try:
                names = threads()
                if names:
                    text = "%d threads (%s): only a single-threaded process can be forked"
                    raise OSError(EBUSY, text % (len(names), ", ".join(names)))
                pid = self.kernel.fork()
            except OSError as e:
                answer = b"refused", fields[1], b"%d" % e.errno, os.fsencode(e.strerror)
            else:
                if pid == 0:
                    channel.socket.detach()  # its number may be the program's
                    return Child(self, descriptors[0]).serve(fields[2] == b"ahead")
                answer = b"born", fields[1], b"%d" % pid
            for fd in descriptors:
                os.close(fd)
            try:
                channel.send(*answer)
            except OSError:
                os._exit(0)


class Child:
    """The process that serves one request."""

    def __init__(self, template, fd):
        self.template = template
        self.kernel = template.kernel
        self.channel = Channel(fd)

    def serve(self, ahead):
        """Waits for the request, and returns what is to be called."""
        if ahead:
            self.rehearse()
        try:
            self.channel.send(b"ready", b"pool", PROTOCOL)
        except OSError:
            os._exit(0)
        frame = self.channel.receive(1 << 16)
        if frame is None or frame[0][0] != b"run":
            os._exit(0)
        self.channel.socket.detach()
        self.become(*frame)
        if self.kind == "exec":
            os.execv(sys.executable, self.argv)
        self.enter(self.rest)
        if hasattr(sys, "orig_argv"):
            sys.orig_argv = [os.fsdecode(a) for a in self.argv]
        return program(self.template, self.kind, self.value)

    def rehearse(self):
        """Serves a request that changes nothing. The memory that a fork shares
        is copied when it is written to: now, and not when somebody waits."""
        ours, theirs = _socket.socketpair()
        numbers = 0, 1, 2, self.channel.socket.fileno(), ours.fileno()
        mask = os.umask(0)
        os.umask(mask)
        root = os.open("/", os.O_PATH | os.O_CLOEXEC)
        settings = [b"group=%d" % os.getpgrp(), *(b"fd=%d" % n for n in numbers), b"umask=%o" % mask, b"cwd"]
        settings.append(b"rlimit=%d:%d:%d" % (7, *resource.getrlimit(7)))
        argv = [b"python3", b"-c", b"pass"]
        environment = [b"%s=%s" % e for e in os.environb.items()]
        fields = [b"run", b""]
        for part in settings, argv, environment:
            fields += [b"%d" % len(part), *part]
        # Input and output of most children cannot be sought in either.
        files = ours.fileno(), ours.fileno(), *numbers[2:]
        given = b"".join(n.to_bytes(4, sys.byteorder) for n in (theirs.fileno(), *files, root))
        Channel(ours.detach()).send(*fields, ancillary=[(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, given)])
        channel = Channel(theirs.detach())
        frame = channel.receive(1 << 16)
        channel.socket.detach()
        self.become(*frame)
        os.close(numbers[-1])
        self.enter([])
        try:
            run_text(self.template.imports)()
        except SystemExit:
            pass

    def become(self, fields, descriptors):
        """Makes this process what was asked for, and says so."""
        self.report, self.descriptors = descriptors[0], descriptors[1:]
        at = 2
        lists = []
        for _ in range(3):
            n = int(fields[at])
            lists.append(fields[at + 1 : at + 1 + n])
            at += 1 + n
        self.settings, argv, environment = lists
        self.argv, self.environment = self.template.shim.apply(argv, environment)
        try:
            self.apply()
            self.start_over()
            self.kind, self.value, self.rest = command([os.fsdecode(a) for a in self.argv])
            if self.kind == "stdin" and os.isatty(0):
                self.kind = "exec"
        except Failed as e:
            self.fail(*e.args)
        except BaseException as e:
            self.fail("python", getattr(e, "errno", None) or ENOSYS, repr(e))
        channel = Channel(self.report)
        try:
            channel.send(b"started")
        except OSError:
            os._exit(127)  # nobody wants it any more
        channel.socket.close()
        # The kernel has put whoever was told onto this processor: it takes the word on
        # a socket for the last thing that is done here for now.
        os.sched_yield()

    def enter(self, argv):
        """Makes the modules as a program finds them."""
        # A main of its own: the exception that ended the boot holds on to the
        # other, and what is frozen is never collected.
        main = type(sys)("__main__")
        main.__dict__.clear()
        main.__dict__.update(self.template.main)
        sys.modules["__main__"] = main
        sys.argv = argv

    def fail(self, what, errno, text):
        try:
            Channel(self.report).send(b"failed", os.fsencode(what), b"%d" % errno, os.fsencode(text))
        finally:
            os._exit(127)

    def apply(self):
        """Applies the settings in their order, the descriptors all at once."""
        settings = [s.decode().partition("=")[::2] for s in self.settings]
        files, cwd, given = {}, None, iter(self.descriptors)
        for name, value in settings:
            if name == "fd":
                files[int(value)] = next(given)
            elif name == "cwd":
                cwd = next(given)
        placed = False
        for name, value in settings:
            if name == "fd":
                if not placed:
                    cwd, placed = self.place(files, cwd), True
            else:
                self.set(name, value, cwd)
        if cwd is not None:
            os.close(cwd)

    def set(self, name, value, cwd):
        try:
            if name == "session":
                os.setsid()
            elif name == "group":
                os.setpgid(0, int(value))
            elif name == "rlimit":
                which, soft, hard = map(int, value.split(":"))
                resource.setrlimit(which, (soft, hard))
            elif name == "nice":
                os.setpriority(os.PRIO_PROCESS, 0, int(value))
            elif name == "affinity":
                mask = int.from_bytes(bytes.fromhex(value), "little")
                os.sched_setaffinity(0, [n for n in range(mask.bit_length()) if mask >> n & 1])
            elif name == "oom_score_adj":
                with open("/proc/self/oom_score_adj", "w") as f:
                    f.write(value)
            elif name == "umask":
                os.umask(int(value, 8))
            elif name == "cwd":
                os.fchdir(cwd)
            elif name == "terminal":
                if self.kernel.libc.ioctl(int(value), TIOCSCTTY, 0) != 0:
                    raise OSError(ctypes.get_errno(), "TIOCSCTTY")
            elif name == "foreground":
                fd, group = map(int, value.split(":"))
                _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTTOU])  # until start_over
                os.tcsetpgrp(fd, group or os.getpgrp())
            elif name == "ignore":
                _signal.signal(int(value), _signal.SIG_IGN)
            else:
                raise Failed(name, ENOSYS, "unknown setting")
        except (OSError, ValueError) as e:
            raise Failed(name, getattr(e, "errno", None) or 22, "")

    def place(self, files, cwd):
        """Puts files at their numbers and closes everything else."""
        top = max(files, default=2) + 1
        fcntl = self.kernel.libc.fcntl

        def above(fd):
            if fd >= top:
                return fd
            new = fcntl(fd, 1030, top)  # F_DUPFD_CLOEXEC
            if new < 0:
                e = ctypes.get_errno()
                raise Failed("fd", e, os.strerror(e))
            return new

        self.report = above(self.report)
        cwd = cwd if cwd is None else above(cwd)
        sources = {number: above(fd) for number, fd in files.items()}
        for number, fd in sources.items():
            os.dup2(fd, number, inheritable=True)
        kept = sorted([*files, self.report] + ([] if cwd is None else [cwd]))
        last = -1
        for fd in kept:
            self.kernel.close_between(last + 1, fd - 1)
            last = fd
        self.kernel.close_between(last + 1, 0x7FFFFFFF)
        return cwd

    def start_over(self):
        """Does what an interpreter does when it starts."""
        _signal.pthread_sigmask(_signal.SIG_SETMASK, [])
        environment = self.environment
        if self.template.coerced:
            environment = [e for e in environment if not e.startswith(b"LC_CTYPE=")]
            environment.append(self.template.coerced)
        data = os.environ._data
        data.clear()
        for entry in environment:
            name, equals, value = entry.partition(b"=")
            if equals:
                data.setdefault(name, value)
        self.kernel.set_environ(environment)
        for fd, name in enumerate(("stdin", "stdout", "stderr")):
            f = stream(fd, name, *self.template.streams[fd], self.template.buffered)
            setattr(sys, name, f)
            setattr(sys, "__%s__" % name, f)
        forget()


def stream(fd, name, encoding, errors, buffered):
    """Makes sys.stdin and its kin as create_stdio in pylifecycle.c does."""
    writes = fd != 0
    buffering = -1 if buffered or not writes else 0
    try:
        buffer = io.open(fd, "wb" if writes else "rb", buffering, None, None, None, False)
    except OSError:
        return None
    raw = buffer.raw if buffering else buffer
    raw.name = "<%s>" % name
    lines = buffered and (fd == 2 or raw.isatty())
    text = io.TextIOWrapper(buffer, encoding, errors, "\n", lines, not buffered)
    text.mode = "w" if writes else "r"
    return text


def forget():
    """Renews what the standard library remembers from the time of import."""
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.current_process().authkey = os.urandom(32)
        try:
            process.ORIGINAL_DIR = os.path.abspath(os.getcwd())
        except OSError:
            process.ORIGINAL_DIR = None
    logging = sys.modules.get("logging")
    if logging is not None:
        import time

        now = time.time_ns() if isinstance(logging._startTime, int) else time.time()
        logging._startTime = now


def command(argv):
    """Returns kind and value of the program, and sys.argv."""
    at = 1
    while at < len(argv):
        word = argv[at]
        if word == "-" or word[:1] != "-":
            break
        at += 1
        if word == "--":
            break
        if word == "--check-hash-based-pycs":
            at += 1
            continue
        for i, letter in enumerate(word[1:], 2):
            if letter in "cm":
                value = word[i:]
                if not value:
                    value, at = argv[at], at + 1
                return letter, value, ["-" + letter, *argv[at:]]
            if letter in "WX":
                at += i == len(word)
                break
    if at == len(argv):
        return "stdin", "", [""]
    if argv[at] == "-":
        return "stdin", "", argv[at:]
    return "script", argv[at], argv[at:]


def program(template, kind, value):
    """Returns the call that the interpreter would make next: Modules/main.c."""
    if kind == "script":
        value = absolute(value)
        importer = ctypes.pythonapi.PyImport_GetImporter
        importer.restype, importer.argtypes = ctypes.py_object, [ctypes.py_object]
        if importer(value) is not None:
            sys.path.insert(0, value)
            return functools.partial(run_module, "__main__", False)
    if template.path0:
        add_path0(kind)
    if kind == "m":
        return functools.partial(run_module, value, True)
    if kind == "c":
        return run_command(value)
    return run_file(template, kind, value)


def absolute(path):
    """Returns path as the interpreter shows it: below the directory of now."""
    if os.path.isabs(path):
        return path
    try:
        return os.path.join(os.getcwd(), path)
    except OSError:
        return path


def add_path0(kind):
    path = ""
    if kind == "m":
        try:
            path = os.getcwd()
        except OSError:
            return
    elif kind == "script":
        path = os.path.dirname(os.path.realpath(sys.argv[0]))
    sys.path.insert(0, path)


def finish(status):
    """Ends after a PyRun function. Returning makes the exit status 1, or the
    death by SIGINT after an uncaught KeyboardInterrupt."""
    if status == 0:
        raise SystemExit(0)


def run_file(template, kind, name):
    libc = template.kernel.libc
    if kind == "stdin":
        file, shown, close = ctypes.c_void_p.in_dll(libc, "stdin").value, b"<stdin>", 0
    else:
        libc.fopen.restype = ctypes.c_void_p
        shown, close = os.fsencode(name), 1
        file = libc.fopen(shown, b"rbe")
        if not file:
            error = ctypes.get_errno()
            shown = "'%s'" % name if sys.version_info < (3, 10) else repr(name)
            text = "%s: can't open file %s: [Errno %d] %s"
            print(text % (sys.executable, shown, error, os.strerror(error)), file=sys.stderr)
            return functools.partial(sys.exit, 2)
    run = ctypes.pythonapi["PyRun_AnyFileExFlags"]
    run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    run.restype = finish
    return functools.partial(run, file, shown, close, None)


class Flags(ctypes.Structure):
    """PyCompilerFlags."""

    _fields_ = [("flags", ctypes.c_int), ("feature_version", ctypes.c_int)]


def run_command(text):
    if sys.version_info >= (3, 14):
        import textwrap

        text = textwrap.dedent(text)
    text += "\n"
    if sys.version_info >= (3, 13):  # tracebacks show the lines of the command
        import linecache

        if sys.version_info < (3, 14):
            linecache._register_code("<string>", text, "<string>")
        else:
            linecache.cache["<string>"] = len(text), None, text.splitlines(True), "<string>"
    return run_text(text.encode())


def run_text(text):
    """Returns the call that runs text in __main__ as the interpreter does under -c."""
    run = ctypes.pythonapi["PyRun_SimpleStringFlags"]
    run.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    run.restype = finish
    flags = Flags(PYCF_IGNORE_COOKIE, sys.version_info[1])
    return functools.partial(run, text, ctypes.cast(ctypes.pointer(flags), ctypes.c_void_p))


def run_module(name, alter_argv):
    """Runs a module, or the __main__ of a folder or zip file. Its frame is the
    only one of this file that a program can find below its own."""
    import runpy

    try:
        runpy._run_module_as_main(name, alter_argv)
    except SystemExit:
        raise
    except BaseException as e:
        e.__traceback__ = e.__traceback__.tb_next
        sys.last_type, sys.last_value, sys.last_traceback = type(e), e, e.__traceback__
        if sys.version_info >= (3, 12):
            sys.last_exc = e
        sys.excepthook(type(e), e, e.__traceback__)
        if isinstance(e, KeyboardInterrupt):
            # The interpreter notes that it is to die by SIGINT, in silence.
            sys.excepthook = lambda *_: None
            ctypes.pythonapi.PyRun_SimpleString(b"raise KeyboardInterrupt")
        return
    raise SystemExit(0)


def main():
    channel = Channel(int(os.environ.pop("HATCHERY_ZYGOTE")))
    os.environ.pop("HATCHERY_ZYGOTE_VENV", None)  # has told this template from another
    template = Template(sys.argv[1:])
    channel.send(b"ready", b"fork", PROTOCOL)

    class Program:
        """The first argument of the hook: what it stands for is the program."""

        @classmethod
        def from_param(cls, _):
            sys.excepthook = template.excepthook
            for name in ("last_type", "last_value", "last_traceback", "last_exc"):
                sys.__dict__.pop(name, None)
            return ctypes.py_object(template.serve(channel))

    class Unused:
        """What the interpreter passes to the hook: type, value, traceback."""

        @classmethod
        def from_param(cls, _):
            return None

    call = ctypes.pythonapi["PyObject_Call"]
    call.argtypes = [Program, ctypes.py_object, ctypes.c_void_p, Unused, Unused, Unused]
    call.restype = ctypes.py_object
    sys.excepthook = functools.partial(call, None, (), None)
    raise Ready


main()
