/** Where programs that a model wrote are run: one interface over several kinds of isolation. */

/**
 * `pass`: ended by itself and reached its last line. `fail`: an assertion failed, an exception was raised, or it ended early.
 * `timeout`, `memory`: stopped at a limit. `refused`: it tried what is forbidden here (files, network, processes), whatever it did
 * afterwards. `error`: the sandbox itself failed.
 */
export type SandboxStatus = "pass" | "fail" | "timeout" | "memory" | "refused" | "error";

export interface SandboxLimits {
  /** Wall time; 5 seconds when left out. */
  seconds?: number;
  /** 512 when left out. */
  megabytes?: number;
}

export interface SandboxRunOptions extends SandboxLimits {
  /** `__name__` of the program: `__main__` when left out. Anything else keeps `if __name__ == "__main__":` blocks from running. */
  moduleName?: string;
  /**
   * A second program, which runs in a process of its own; the first is then its judge and alone reaches the verdict. In the judge,
   * `midcourse_candidate.ask("load")` runs the second program, and `midcourse_candidate.ask("name", "f")` is what it calls `f`: functions are
   * called across, and what they return is plain data (conversation.ts). Both processes have these limits, each for itself.
   */
  candidate?: string;
  /**
   * False leaves out the guard inside the interpreter, which names what is refused, so that only the isolation around it holds. For the
   * self-test, which has to know what that isolation is worth by itself. Close a sandbox that such a program ran in.
   */
  guard?: boolean;
}

export interface SandboxResult {
  status: SandboxStatus;
  milliseconds: number;
  /** Standard output, the end of standard error and how it ended, at most 4,000 characters. */
  output: string;
}

/**
 * Who holds a program that means harm. `kernel`: the operating system: another user, an empty file system, no network, no processes.
 * `runtime`: WebAssembly and Node's permission model. `guard`: hooks inside the interpreter alone, which a program can get round.
 */
export type SandboxStrength = "kernel" | "runtime" | "guard";

export interface Sandbox {
  /** Such as `python3 in bubblewrap` or `Pyodide`. */
  readonly kind: string;
  readonly strength?: SandboxStrength;
  /** What this kind does and does not hold, in a sentence. */
  readonly description?: string;
  /** What a program could still forge while another judges it (`candidate` above), in a sentence. */
  readonly forging?: string;
  /** Runs one Python program by itself. Never throws for what the program does; rejects when `signal` is aborted. */
  run(program: string, limits?: SandboxRunOptions, signal?: AbortSignal): Promise<SandboxResult>;
  close(): Promise<void>;
}

export const defaultLimits = { seconds: 5, megabytes: 512 } as const;

/** What no separation of program and judge takes away. */
export const ownObjects =
  "Tests that compare two objects of the program's own classes, ask one for its truth or call helpers that only the program defines are answered by the program; a verdict in which objects or helpers were so used says it.";
