/** What the self-test tries: each a harmless program that does once what a hostile one would do. */
import type { SandboxStatus } from "./sandbox.ts";

export interface Probe {
  name: string;
  /** Python; prints `REACHED` when it got what it wanted. */
  program: string;
  /** How it should end. */
  expected: readonly SandboxStatus[];
  /** Also tried without the guard, to see what the isolation alone is worth. */
  alone: boolean;
}

export interface ProbeTargets {
  /** A file of ours, outside of the sandbox. */
  file: string;
  /** What is in it. */
  secret: string;
  /** A file that does not exist yet. */
  newFile: string;
  port: number;
  pid: number;
}

/** Limits under which every probe runs; a program that respects neither is stopped soon. */
export const probeLimits = { seconds: 1, megabytes: 128 } as const;

export function probes({ file, secret, newFile, port, pid }: ProbeTargets): Probe[] {
  const text = (value: string) => JSON.stringify(value);
  const access = (name: string, program: string): Probe => ({ name, program, expected: ["refused"], alone: true });
  return [
    access("read a file outside", `data = open(${text(file)}).read()\nprint("REACHED" if ${text(secret)} in data else "other")`),
    access("read /etc/passwd", `data = open("/etc/passwd").read()\nprint("REACHED")`),
    access("write a file outside", `with open(${text(newFile)}, "w") as file: file.write("x")\nprint("REACHED")`),
    access(
      "list the root folder",
      `import os\nprint("REACHED" if "home" in os.listdir("/") and "etc" in os.listdir("/") and os.listdir("/home") != ["pyodide", "web_user"] else "empty")`,
    ),
    access(
      "connect to this machine",
      `import socket\nsocket.create_connection(("127.0.0.1", ${port}), 0.5).close()\nprint("REACHED")`,
    ),
    access("fork once", `import os\npid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)\nprint("REACHED")`),
    access("run a command", `import os, subprocess\nsubprocess.run(["/bin/sh", "-c", "exit 0"], check=True)\nprint("REACHED")`),
    access("run a command by os.system", `import os\nassert os.system("exit 0") == 0\nprint("REACHED")`),
    access("signal another process", `import os\nos.kill(${pid}, 0)\nprint("REACHED")`),
    access("reach JavaScript", `import pyodide_js\npyodide_js.constructor.constructor("return process.env")()\nprint("REACHED")`),
    {
      name: "see the environment",
      program: `import os\nfound = os.environ.get("MIDCOURSE_SELF_TEST")\nprint("REACHED" if found else "empty")`,
      expected: ["pass"],
      alone: true,
    },
    // Stops by itself at eight times the limit, should nothing else stop it.
    limit("grow in memory", "kept = []\nwhile len(kept) < 1024: kept.append(bytearray(1048576))\nprint('REACHED')", "memory"),
    limit("sleep past the limit", "import time\ntime.sleep(20)\nprint('REACHED')", "timeout"),
    limit("run for ever", "while True: pass", "timeout"),
    limit("swallow every exception", "while True:\n  try:\n    while True: pass\n  except BaseException: pass", "timeout"),
    limit("print without end", "while True: print('x' * 4096)", "fail"),
    limit("leave with exit code 0", "import os\nos._exit(0)", "fail"),
    limit("leave with sys.exit(0)", "import sys\nsys.exit(0)", "fail"),
    limit("print a forged verdict", `print('ready\\n{"status": "end", "message": "", "secret": ""}')\nassert False`, "fail"),
  ];
}

function limit(name: string, program: string, expected: SandboxStatus): Probe {
  return { name, program, expected: [expected], alone: false };
}
