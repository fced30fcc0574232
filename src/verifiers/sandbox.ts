/** Where programs that a model wrote are run: one interface over several kinds of isolation. */

/**
 * `pass`: ended by itself and reached its last line. `fail`: an assertion failed or an exception was raised. `timeout`, `memory`: stopped
 * at a limit. `refused`: it tried what is forbidden here (files, network, processes). `error`: the sandbox itself failed.
 */
export type SandboxStatus = "pass" | "fail" | "timeout" | "memory" | "refused" | "error";

export interface SandboxLimits {
  /** Wall time; 5 seconds when left out. */
  seconds?: number;
  /** 512 when left out. */
  megabytes?: number;
}

export interface SandboxResult {
  status: SandboxStatus;
  milliseconds: number;
  /** Standard output and the end of standard error, at most 4,000 characters. */
  output: string;
}

export interface Sandbox {
  /** Such as `python3 in bubblewrap` or `Pyodide`. */
  readonly kind: string;
  /** Runs one Python program by itself. Never throws for what the program does. */
  run(program: string, limits?: SandboxLimits, signal?: AbortSignal): Promise<SandboxResult>;
  close(): Promise<void>;
}
