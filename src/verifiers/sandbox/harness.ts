/**
 * The Python around a program, the same in every kind of sandbox: runs it as a module of its own, says how it ended, and, as a guard,
 * refuses files, network and processes by name (an audit hook, PEP 578). The guard is there to name what was tried; what holds a
 * program that gets round it is the isolation outside. Needs Python 3.8.
 */
import { conversationSource } from "./conversation.ts";

/**
 * Defines `midcourse_run(source, name, guard) -> (status, message)`; status is `end`, `fail`, `memory` or `refused`. For a program and its
 * judge in two processes: `midcourse_judge(source, name, guard, receive, send)`, whose status may also be `gone` where the other process is,
 * and `midcourse_serve` with the same parameters, which does what the judge asks until it asks no more.
 */
export const harnessSource = `${conversationSource}${String.raw`
def _midcourse_make_run():
    import builtins, linecache, sys, traceback, types
    add_hook, get_modules = sys.addaudithook, sys.modules
    compile_source, execute = builtins.compile, builtins.exec
    repr_text, is_instance, starts_with = builtins.repr, builtins.isinstance, str.startswith
    base_exception, memory_error, system_exit = BaseException, MemoryError, SystemExit
    format_exception, cache_lines = traceback.format_exception, linecache.cache
    readable = tuple({path for path in [*sys.path, sys.prefix + "/lib/python", "/usr/share/zoneinfo"] if path.startswith("/") and path != "/"})

    processes = {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile",
                 "os.kill", "os.killpg", "pty.spawn", "signal.pthread_kill"}
    network = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
               "socket.gethostbyaddr", "socket.getnameinfo", "socket.sethostname"}
    files = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.chflags",
             "os.lockf", "os.utime", "os.setxattr", "os.removexattr", "os.getxattr", "os.listxattr", "os.chdir", "os.walk", "os.fwalk",
             "shutil.copyfile", "shutil.move", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect"}
    foreign = {"ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function", "ctypes.string_at", "ctypes.wstring_at", "ctypes.cdata",
               "ctypes.set_exception", "resource.setrlimit", "resource.prlimit", "gc.get_objects", "gc.get_referrers"}
    # Pyodide's ways into JavaScript. They are taken away before the program runs, so that importing one is an event.
    host_modules = {"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "_pyodide_js"}
    write_flags = 0o3 | 0o100 | 0o1000 | 0o2000

    def reason(event, args):
        if event == "open":
            path, mode, flags = args
            if is_instance(path, int):
                return None
            if is_instance(path, bytes):
                path = path.decode("utf-8", "replace")
            writes = is_instance(mode, str) and any(letter in mode for letter in "wax+") or is_instance(flags, int) and flags & write_flags
            # A path with two dots could climb out of what may be read.
            if not writes and is_instance(path, str) and starts_with(path, readable) and ".." not in path:
                return None
            # What the interpreter asks for when it wants to show a line of code that came from no file.
            if not writes and is_instance(path, str) and path[:1] == "<" and path[-1:] == ">":
                return None
            return "file " + repr_text(path)
        if event in ("os.listdir", "os.scandir"):
            path = args[0]
            return None if is_instance(path, str) and starts_with(path, readable) and ".." not in path else "folder " + repr_text(path)
        if event in processes:
            return "process (" + event + ")"
        # Sockets of the Unix family reach nothing here, and asyncio wakes itself up through a pair of them.
        if event in network or event == "socket.__new__" and args[1] != 1:
            return "network (" + event + ")"
        if event in files:
            return "file (" + event + ")"
        if event in foreign or event == "ctypes.dlopen" and args[0] is not None:
            return "native code (" + event + ")"
        if event == "import" and is_instance(args[0], str) and args[0].split(".")[0] in host_modules:
            return "host (import " + args[0] + ")"
        return None

    def protect(guard):
        attempts = []
        if guard:
            permission_error = PermissionError

            def hook(event, args):
                what = reason(event, args)
                if what is not None:
                    if len(attempts) < 8:
                        attempts.append(what)
                    raise permission_error("not allowed in the sandbox: " + what)

            for loaded in [loaded for loaded in get_modules if loaded.split(".")[0] in host_modules]:
                del get_modules[loaded]
            sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_pyodide")]
            add_hook(hook)
        return attempts

    def module_of(source, name):
        module = types.ModuleType(name)
        get_modules[name] = module
        cache_lines["<program>"] = (len(source), None, source.splitlines(True), "<program>")
        return module

    def perform(source, module, attempts):
        status, message = "end", ""
        try:
            execute(compile_source(source, "<program>", "exec"), module.__dict__)
        except system_exit as error:
            status, message = "fail", "ended early: SystemExit"
        except memory_error:
            status, message = "memory", "MemoryError"
        except base_exception as error:
            status = "fail"
            try:
                trace = error.__traceback__
                lines = format_exception(type(error), error, trace.tb_next if trace is not None else None, 8)
                message = "".join(lines)[-1500:]
            except base_exception:
                message = "an exception that cannot be shown"
        return refusal(attempts, status, message)

    def refusal(attempts, status, message):
        if attempts:
            return "refused", "refused: " + "; ".join(attempts) + ("\n" + message if message else "")
        return status, message

    def run(source, name, guard):
        return perform(source, module_of(source, name), protect(guard))

    def judge(source, name, guard, receive, send):
        module = module_of(source, name)
        talk = midcourse_converse(receive, send, module.__dict__, True)
        module.__dict__["midcourse_candidate"] = talk
        status, message = perform(source, module, protect(guard))
        if talk.end is not None:
            status, message = talk.end, talk.message
        elif status == "end" and talk.notes:
            message = "Open to forging: " + "; ".join(talk.notes) + "."
        return refusal(talk.refused, status, message)

    def serve(source, name, guard, receive, send):
        module = module_of(source, name)
        out, err = sys.stdout, sys.stderr

        def send_all(text):
            # What was printed so far is not lost when this process is ended.
            for stream in (out, err):
                try:
                    stream.flush()
                except base_exception:
                    pass
            send(text)

        talk = midcourse_converse(receive, send_all, module.__dict__, False)
        talk.load = lambda: execute(compile_source(source, "<program>", "exec"), module.__dict__)
        talk.refused = protect(guard)
        loads = talk.loads
        while True:
            line = receive()
            if line is None:
                return
            try:
                talk.serve(loads(line))
            except base_exception:
                # What a program made of the conversation itself is no answer, and the judge learns that there is none.
                return

    return run, judge, serve

midcourse_run, midcourse_judge, midcourse_serve = _midcourse_make_run()
del _midcourse_make_run

def midcourse_lines(read, write):
    """Whole lines over something like a descriptor: what receives one (None at the end) and what sends one."""
    pieces = []

    def receive():
        while not pieces or b"\n" not in pieces[-1]:
            piece = read(65536)
            if not piece:
                return None
            pieces.append(piece)
        line, rest = b"".join(pieces).split(b"\n", 1)
        pieces[:] = [rest] if rest else []
        return line

    def send(text):
        data = memoryview((text + "\n").encode("ascii"))
        while data:
            data = data[write(data):]

    return receive, send
`}`;

/**
 * What a python3 process runs: limits on itself, one program read from descriptor 3, and a verdict that only an ended program gets.
 *
 * Protocol on descriptor 3, a socket pair. In: one line of JSON `{megabytes, seconds, name, guard, bytes, role}`, the program, a secret line.
 * Out: `ready`, then one line of JSON `{status, message, secret}`. The secret is read after the program has ended, and only a program
 * that ended by itself has it sent back, so that neither an exit code nor printed text can stand for a pass. A program written against
 * this very protocol could read the descriptor itself: that cannot be kept from code in the same process. Where it matters the program has
 * the role `candidate`: it is sent no secret, gives no verdict and does over descriptor 4 what a `judge` in another process asks.
 */
export const pythonDriver = String.raw`
${harnessSource}
def _midcourse_main():
    import json, os, resource, sys
    read, write, leave, dumps, loads = os.read, os.write, os._exit, json.dumps, json.loads
    out, err = sys.stdout, sys.stderr

    def read_line():
        data = b""
        while not data.endswith(b"\n"):
            piece = read(3, 1)
            if not piece:
                leave(97)
            data += piece
        return data

    def read_exactly(count):
        pieces = []
        while count > 0:
            piece = read(3, min(count, 65536))
            if not piece:
                leave(97)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def write_all(data):
        while data:
            data = data[write(3, data):]

    request = loads(read_line())
    source = read_exactly(request["bytes"]).decode("utf-8", "replace")
    sys.dont_write_bytecode = True
    os.environ.clear()
    memory = int(request["megabytes"]) * 1048576
    for name, value in (("RLIMIT_AS", memory), ("RLIMIT_CPU", int(request["seconds"]) + 2), ("RLIMIT_FSIZE", 0),
                        ("RLIMIT_NOFILE", 64), ("RLIMIT_CORE", 0), ("RLIMIT_NPROC", 0)):
        limit = getattr(resource, name, None)
        if limit is None:
            continue
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            if request["strict"]:
                write_all((dumps({"status": "error", "message": "cannot set " + name}) + "\n").encode())
                leave(98)
    write_all(b"ready\n")
    role, name, guard = request["role"], request["name"], request["guard"]
    if role == "alone":
        status, message = midcourse_run(source, name, guard)
    else:
        receive, send = midcourse_lines(lambda most: read(4, most), lambda data: write(4, data))
        if role == "candidate":
            os.close(3)
            midcourse_serve(source, name, guard, receive, send)
            leave(0)
        status, message = midcourse_judge(source, name, guard, receive, send)
    for stream in (out, err):
        try:
            stream.flush()
        except BaseException:
            pass
    answer = {"status": status, "message": message}
    if status == "end":
        answer["secret"] = read_line().decode().strip()
    write_all((dumps(answer) + "\n").encode("utf-8", "replace"))
    leave(0)

_midcourse_main()
`;

/**
 * What Pyodide runs once after the harness, before any program: the usual modules, which it reads from an archive, slowly, and what does not
 * work in WebAssembly said plainly.
 */
export const preload = `
import collections, copy, dataclasses, decimal, enum, fractions, functools, hashlib, heapq, itertools, json, math, operator, os
import asyncio, random, re, statistics, string, sys, time, types, typing, unittest, doctest, datetime, bisect, cmath, textwrap, inspect
def _midcourse_by_role(alone, judge, serve, lines, dumps, read, write):
    def perform(role, source, name, guard, descriptor):
        if role == "alone":
            return dumps(alone(source, name, guard))
        receive, send = lines(lambda most: read(descriptor, most), lambda data: write(descriptor, data))
        if role == "judge":
            return dumps(judge(source, name, guard, receive, send))
        serve(source, name, guard, receive, send)
        return dumps(["end", ""])
    return perform
def _midcourse_exit(code=0):
    raise SystemExit(code)
def _midcourse_no_loop(*arguments, **options):
    raise RuntimeError("asyncio does not run in Pyodide; a sandbox with python3 has it")
asyncio.run = _midcourse_no_loop
import subprocess
def _midcourse_popen(self, *arguments, **options):
    sys.audit("subprocess.Popen", arguments, options)
    raise OSError("there are no processes here")
subprocess.Popen.__init__ = _midcourse_popen
midcourse_perform = _midcourse_by_role(midcourse_run, midcourse_judge, midcourse_serve, midcourse_lines, json.dumps, os.read, os.write)
os._exit = sys.modules["posix"]._exit = _midcourse_exit
os.environ.clear()
del _midcourse_by_role, _midcourse_exit, _midcourse_no_loop, _midcourse_popen
`;
