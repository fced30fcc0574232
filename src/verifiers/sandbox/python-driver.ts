/** What a python3 process runs: limits on itself, one program read from descriptor 3, and a verdict that only an ended program gets. */
import { harnessSource } from "./harness.ts";

/**
 * Protocol on descriptor 3, a socket pair. In: one line of JSON `{megabytes, seconds, name, guard, bytes}`, the program, a secret line.
 * Out: `ready`, then one line of JSON `{status, message, secret}`. The secret is read after the program has ended, and only a program
 * that ended by itself has it sent back, so that neither an exit code nor printed text can stand for a pass. A program written against
 * this very protocol could read the descriptor itself: that cannot be kept from code in the same process.
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
    status, message = midcourse_run(source, request["name"], request["guard"])
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
