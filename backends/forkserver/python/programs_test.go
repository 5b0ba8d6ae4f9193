//go:build linux

package python_test

// A program is run plainly and as a child of a template; what it writes and how
// it ends must be the same.
type program struct {
	name string
	// args follow the interpreter's name. Empty means the script "main.py".
	args []string
	// script is the content of main.py.
	script string
	// files are further files of its directory.
	files map[string]string
	stdin string
	// env is added to the environment.
	env []string
	// interrupt sends SIGINT once the program has written a line.
	interrupt bool
	// terminal makes a terminal its standard input, output and error, on which
	// stdin is typed.
	terminal bool
}

// state shows what a program can see of how it was started.
const state = `
import os, sys, signal
print(sys.argv, sys.path[0], sys.executable, sys.prefix)
print(getattr(sys, "orig_argv", None))
print({k: v for k, v in globals().items() if k not in ("os", "sys", "signal")})
print(sys.flags, sys.warnoptions, sys._xoptions, sys.dont_write_bytecode)
for f in (sys.stdin, sys.stdout, sys.stderr):
    print(f, f.encoding, f.errors, f.line_buffering, f.write_through, f.newlines, f.mode, f.isatty(), f.fileno(), type(f.buffer))
print(sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__)
print(sys.excepthook, sys.displayhook, sys.exc_info(), hasattr(sys, "last_value"), sys.getrecursionlimit())
print({s: str(signal.getsignal(s)) for s in signal.valid_signals()}, signal.pthread_sigmask(0, []))
print(dict(os.environ), os.environb == dict(os.environb), os.getcwd())
print([l for l in open("/proc/self/status") if l.startswith("Sig")][1:])
os.system("env | sort; umask; ls -l /proc/self/fd | wc -l")
print(sorted(os.listdir("/proc/self/fd")))
try:
    sys._getframe(1)
except ValueError as e:
    print(e)
`

// programs are the cases of the comparison.
func programs() []program {
	return append(append(starts(), endings()...), lives()...)
}

// starts are about how a program is found and what it sees first.
func starts() []program {
	return []program{
		{name: "state", script: state},
		{name: "state in a directory", args: []string{"sub/main.py", "a", "-b", ""}, files: map[string]string{"sub/main.py": state}},
		{name: "state below here", args: []string{"./main.py"}, script: state},
		{name: "state of -c", args: []string{"-c", state, "x", "y"}},
		{name: "-c in one word", args: []string{"-Bcprint(__name__)", "z"}},
		{name: "-m of a module", args: []string{"-m", "mod", "arg"}, files: map[string]string{"mod.py": "import sys\nprint(sys.argv, sys.path[0], __spec__, __file__, __package__, __loader__.__class__)\n"}},
		{name: "-m of a package", args: []string{"-m", "pkg.sub"}, files: map[string]string{
			"pkg/__init__.py": "print('init', __name__)\n", "pkg/sub/__init__.py": "", "pkg/sub/__main__.py": "import sys\nfrom . import other\nprint(__name__, __package__, __spec__.name, sys.argv)\n", "pkg/sub/other.py": "print('other')\n"}},
		{name: "-m of nothing", args: []string{"-m", "there.is.none"}},
		{name: "-m of a failing module", args: []string{"-m", "bad"}, files: map[string]string{"bad.py": "def f():\n    raise ValueError('é')\nf()\n"}},
		{name: "a folder", args: []string{"app", "1"}, files: map[string]string{"app/__main__.py": "import sys, helper\nprint(sys.argv, sys.path[0], __spec__, __file__)\nhelper.fail()\n", "app/helper.py": "def fail():\n    raise KeyError('x')\n"}},
		{name: "a folder without a program", args: []string{"app"}, files: map[string]string{"app/x.py": ""}},
		{name: "a script that is missing", args: []string{"none.py"}},
		{name: "standard input", args: []string{"-"}, stdin: "import sys\nprint(sys.argv, sys.path[0], __name__)\n1/0\n"},
		{name: "standard input without a dash", args: []string{"-u"}, stdin: "print('hi')\n"},
		{name: "a syntax error", script: "print('no'\n"},
		{name: "another coding", script: "# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n"},
		{name: "optimised", args: []string{"-OO", "main.py"}, script: "assert 0\ndef f():\n    'doc'\nprint(f.__doc__, __debug__)\n" + state},
		{name: "isolated", args: []string{"-I", "main.py"}, script: state},
		{name: "without site", args: []string{"-S", "-E", "-s", "main.py"}, script: state},
		{name: "development mode", args: []string{"-X", "dev", "main.py"}, script: state},
		{name: "UTF-8 mode off and C locale", args: []string{"-X", "utf8=0", "main.py"}, env: []string{"LC_ALL=C"}, script: "import os, locale\nprint(locale.getpreferredencoding(), ascii(os.fsdecode(b'\\xff')))\n" + state},
		{name: "coerced locale", env: []string{"LANG=C"}, script: state},
		{name: "warnings", args: []string{"-W", "error::UserWarning", "main.py"}, script: "import warnings\nprint(warnings.filters)\nwarnings.warn('oh')\n"},
		{name: "a warning from below", script: "import warnings\nwarnings.warn('oh', stacklevel=2)\nwarnings.warn('oh', DeprecationWarning)\n"},
		{name: "unbuffered", args: []string{"-u", "main.py"}, script: state},
		{name: "another encoding", env: []string{"PYTHONIOENCODING=latin-1:replace"}, script: "print('é€')\n" + state},
		{name: "module path", env: []string{"PYTHONPATH=/nonexistent:/usr"}, script: "import sys\nprint(sys.path)\n"},
		{name: "odd environment", env: []string{"A=", "=B", "C=1=2", "D=\xff", "TZ=Asia/Tokyo"}, script: "import os, time\nprint(os.environb, time.tzname, time.localtime(0)[:5])\nos.environ['E'] = '5'\nos.unsetenv('A')\nos.system('env | sort')\n"},
	}
}

// endings are about the end of a program.
func endings() []program {
	return []program{
		{name: "exit code", script: "import sys\nprint('bye', end='')\nsys.exit(7)\n"},
		{name: "exit with a string", script: "import sys\nsys.exit('why é')\n"},
		{name: "exit with an object", script: "raise SystemExit([1, 2])\n"},
		{name: "exit from a module", args: []string{"-m", "mod"}, files: map[string]string{"mod.py": "import sys\nsys.exit('from the module')\n"}},
		{name: "exit at once", script: "import os\nprint('lost', end='')\nos._exit(3)\n"},
		{name: "an uncaught exception", script: "import sys\ndef f(n):\n    if n: f(n - 1)\n    else: raise RuntimeError('deep')\ntry:\n    f(3)\nexcept RuntimeError as e:\n    raise ValueError('outer') from e\n"},
		{name: "a hook for exceptions", script: "import sys, traceback\ndef hook(*a):\n    print('hook', a[0], a[1])\n    traceback.print_stack()\nsys.excepthook = hook\n1/0\n"},
		{name: "abort", script: "import os, sys\nprint('x')\nsys.stdout.flush()\nos.abort()\n"},
		{name: "killed", script: "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"},
		{name: "keyboard interrupt", interrupt: true, script: "import time\nprint('go', flush=True)\ntime.sleep(60)\n"},
		{name: "keyboard interrupt of a module", interrupt: true, args: []string{"-m", "main"}, script: "import time\nprint('go', flush=True)\ntime.sleep(60)\n"},
		{name: "keyboard interrupt of -c", interrupt: true, args: []string{"-c", "import time\nprint('go', flush=True)\ntime.sleep(60)"}},
		{name: "exit handlers", script: "import atexit\natexit.register(print, 'one')\n@atexit.register\ndef bad():\n    raise ValueError('two')\nprint('main')\n"},
		{name: "finalisers", script: "class A:\n    def __del__(self, p=print): p('gone')\na = A()\na.me = a\nb = A()\n"},
		{name: "output that cannot be flushed", script: "import sys, os\nprint('x')\nos.close(1)\nos.open('/dev/full', os.O_WRONLY)\n"},
		{name: "closed output", script: "import sys\nsys.stdout.close()\n"},
		{name: "threads at the end", script: "import threading, time\nprint(threading.current_thread() is threading.main_thread(), threading.active_count(), threading.current_thread().name)\nt = threading.Thread(target=lambda: (time.sleep(.1), print('thread')))\nt.start()\nprint('main')\n"},
		{name: "an exception in a thread", script: "import threading\nt = threading.Thread(target=lambda: 1/0, name='t')\nt.start(); t.join()\n"},
		{name: "a broken pipe", script: "import os, sys, signal\nr, w = os.pipe()\nos.close(r)\ntry:\n    os.write(w, b'x')\nexcept BrokenPipeError as e:\n    print(e)\n"},
		{name: "a fault", args: []string{"-X", "faulthandler", "main.py"}, script: "import faulthandler, sys\ndef f(): faulthandler.dump_traceback(sys.stdout, all_threads=False)\nf()\nsys.stdout.flush()\nimport os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n"},
	}
}

// lives are about what a program does in between.
func lives() []program {
	return []program{
		{name: "json.tool", args: []string{"-m", "json.tool"}, stdin: `{"b": [1, 2], "a": null}`},
		{name: "json.tool with bad input", args: []string{"-m", "json.tool"}, stdin: `{"b"`},
		{name: "http.server", interrupt: true, args: []string{"-u", "-m", "http.server", "--bind", "127.0.0.1", "0"}},
		{name: "unittest", args: []string{"-m", "unittest", "-q", "test_it"}, files: map[string]string{"test_it.py": "import unittest\nclass T(unittest.TestCase):\n    def test_good(self): pass\n    def test_bad(self):\n        raise SystemError('bad')\n    def setUp(self): self.addCleanup(print, 'cleaned')\n    def run(self, r=None): return super().run(r)\nunittest.TestResult.startTestRun = lambda s: None\nimport time; time.perf_counter = lambda: 0\n"}},
		{name: "unittest.main", script: "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(__name__, '__main__')\nimport time; time.perf_counter = lambda: 0\nunittest.main(verbosity=0)\n"},
		{name: "multiprocessing spawn", script: pool("spawn")},
		{name: "multiprocessing fork", script: pool("fork")},
		{name: "multiprocessing forkserver", script: pool("forkserver")},
		{name: "concurrent futures", script: "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(3) as e:\n    print(list(e.map(lambda x: x * x, range(9))))\n"},
		{name: "subprocess pipes", script: "import subprocess, sys\np = subprocess.run([sys.executable, '-c', 'import sys; print(sys.stdin.read()[::-1]); sys.exit(4)'], input='abc', capture_output=True, text=True)\nprint(p.returncode, repr(p.stdout), repr(p.stderr))\nprint(subprocess.getoutput('echo $0 $PATH'))\n"},
		{name: "a plain fork", script: "import os\nprint('once')\nimport sys; sys.stdout.flush()\npid = os.fork()\nif pid == 0: sys.exit(5)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"},
		{name: "reading lines", stdin: "one\ntwo\r\nthree", script: "import sys\nprint(repr(input('? ')))\nfor l in sys.stdin: print(repr(l))\ntry:\n    input()\nexcept EOFError as e: print(e)\n"},
		{name: "a terminal", terminal: true, stdin: "name\n", script: "import sys, os\nprint(repr(input('who? ')), os.isatty(0), sys.stdout.line_buffering, os.ttyname(0) != '', os.tcgetpgrp(0) == os.getpgrp(), os.getsid(0) == os.getpid())\n1/0\n"},
		{name: "signal handlers", script: "import signal, os, time\nsignal.signal(signal.SIGUSR1, lambda s, f: print('got', s, f.f_code.co_name, f.f_back))\nos.kill(os.getpid(), signal.SIGUSR1)\nsignal.setitimer(signal.ITIMER_REAL, .01)\nsignal.signal(signal.SIGALRM, lambda *a: print('alarm'))\nsignal.sigtimedwait([], .2)\n"},
		{name: "asyncio", script: "import asyncio\nasync def f(n):\n    await asyncio.sleep(0)\n    return n\nasync def main():\n    p = await asyncio.create_subprocess_exec('echo', 'hi', stdout=-1)\n    print(await p.communicate(), await asyncio.gather(f(1), f(2)))\nasyncio.run(main())\nasync def bad(): 1/0\nasyncio.run(bad())\n"},
		{name: "asyncio interrupted", interrupt: true, script: "import asyncio\nasync def main():\n    print('go', flush=True)\n    try:\n        await asyncio.sleep(60)\n    finally:\n        print('unwound')\nasyncio.run(main())\n"},
		{name: "logging", script: "import logging\nlogging.warning('w')\nlogging.basicConfig(format='%(levelname)s %(module)s %(lineno)d %(funcName)s %(message)s', force=True)\nlogging.error('e')\ntry: 1/0\nexcept Exception: logging.exception('x')\n"},
		{name: "decimal and locale", env: []string{"LC_NUMERIC=C"}, script: "import decimal, locale\nprint(decimal.Decimal(1) / 3, locale.setlocale(locale.LC_ALL), locale.localeconv()['decimal_point'])\n"},
		{name: "email", script: "from email.message import EmailMessage\nm = EmailMessage()\nm['Subject'] = 'é'\nm.set_content('x')\nprint(m)\n"},
		{name: "seeded random", script: "import random\nrandom.seed(5)\nprint(random.random(), hash('x'))\n"},
		{name: "pickle of main", script: "import pickle, sys\nclass A: pass\nprint(pickle.loads(pickle.dumps(A)).__module__, A.__qualname__, sys.modules['__main__'].A is A)\n"},
		{name: "deep recursion", script: "import sys\ndef f(n): return 0 if n == 0 else f(n - 1)\nprint(f(900))\ndef g(): g()\ntry: g()\nexcept RecursionError as e: print(e)\n"},
		{name: "pathlib and import", script: "import other, pathlib\nprint(pathlib.Path(other.__file__).name, pathlib.Path.cwd() == pathlib.Path(__file__).resolve().parent)\n", files: map[string]string{"other.py": "print(__name__)\n"}},
		{name: "timeit", args: []string{"-m", "timeit", "-h"}},
		{name: "a profile", args: []string{"-m", "trace", "--listfuncs", "main.py"}, script: "def f(): pass\nf()\n"},
		{name: "compileall", args: []string{"-m", "compileall", "-l", "-f", "main.py"}, script: "x = (\n"},
		{name: "the debugger", args: []string{"-m", "pdb", "main.py"}, stdin: "n\nw\nc\nq\n", script: "x = 1\ny = 2\nprint(x + y)\n"},
		{name: "a breakpoint", stdin: "w\np x\nq\n", script: "x = 1\nbreakpoint()\nprint(x)\n"},
	}
}

// pool is a program that uses processes of multiprocessing.
func pool(method string) string {
	return `
import multiprocessing as mp, os, sys
def f(x):
    return x * x, __name__, sys.argv
if __name__ == "__main__":
    c = mp.get_context("` + method + `")
    with c.Pool(2) as p:
        print(p.map(f, range(4)))
    q = c.SimpleQueue()
    p = c.Process(target=q.put, args=(os.path.basename(os.getcwd()),))
    p.start(); print(q.get()); p.join(); print(p.exitcode)
`
}
