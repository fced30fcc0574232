/** Ends processes together with whatever they started. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Kills a launcher and what it started. The first process of a process table of its own takes all others of that table with it, and it is
 * killed by number because a program can leave its process group.
 */
export function killAll(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const isOver = child.exitCode !== null || child.signalCode !== null;
  if (!isOver) for (const inner of descendants(pid)) kill(inner);
  // The group may outlive its leader; it is empty at most.
  kill(-pid);
  if (!isOver) kill(pid);
}

/** Children, their children and so on, as Linux tells them; none elsewhere. */
export function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already, or not ours.
  }
}
