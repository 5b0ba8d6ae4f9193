// Package python makes Python programs children of a warm interpreter: it knows
// which command lines can be served, and brings the adapter, zygote.py, that
// serves them.
//
//	hatchery run --spawn-backend=forkserver --opt preload=json,decimal -- python3 script.py
//
// The template is an interpreter of the child's own: the same program, options
// and environment as far as they are read before the first line of a program
// runs, with the modules of preload imported. For each child it forks, and the
// child goes on where the interpreter would: [Recognize] says what belongs to
// the template, and the rest (script, -m, -c or standard input, arguments,
// environment, directory, descriptors, limits) is the child's own.
//
// A process that the template forks ahead of need goes through a request that
// changes nothing before it waits for its own: the pages that a run writes to
// are copied then, and not when somebody waits. So what is said of the template
// holds for it as well: it is as old as its fork.
//
// # How exact it is
//
// A child runs its program by the calls of the C API that the interpreter
// itself makes, with nothing of the adapter below them on the stack. Exit
// statuses, tracebacks, the order of flushing and ending, and the death by
// SIGINT after an uncaught KeyboardInterrupt are therefore the interpreter's.
// What preloaded modules opened is closed in a child, signal handlers and
// locale are set back, the state of random is fresh; a process with a second
// thread refuses to fork and names its threads.
//
// # What stays the template's
//
//   - /proc/PID/cmdline and /proc/PID/environ, and what ps shows of them.
//   - The seed of str hashes: children of one template share it, unless
//     PYTHONHASHSEED says otherwise.
//   - The preloaded modules and what importing them did (to sys.modules,
//     sys.path, warning filters, exit handlers): as if the program had imported
//     them first. A module that changes on disk afterwards stays as it was, as
//     long as the template lives: the program's own file tells templates apart,
//     what it imports does not. A program that has a module of the same name beside it gets the preloaded
//     one.
//   - What a shim of pyenv chose when the template was started. Children that
//     have another directory, or other variables that it reads, have another
//     template.
//   - A few modules that the adapter needs: ctypes, functools, gc, resource.
//   - Objects of the template are frozen (gc.freeze): gc.get_objects does not
//     show them, and cycles among them are not collected.
//   - Under -m, and for folders and zip files, one frame of the adapter stands
//     below runpy's for those who walk the stack. It shows in no traceback.
//
// # What it is not
//
// It is no way to share state: a child has a copy of the template's memory and
// no way back. It needs CPython 3.9 or later with ctypes, glibc, and a kernel
// with PR_GET_TID_ADDRESS (Linux 3.5, CONFIG_CHECKPOINT_RESTORE); without them
// the template does not start, and its last words say why.
package python
