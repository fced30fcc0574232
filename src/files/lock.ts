/** One process per run directory: a lock file with the holder's pid. A lock whose holder is gone is taken over. */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { guarded } from "./file-failures.ts";

interface Holder {
  pid: number;
  host: string;
  /** Tells this process from a later one with the same pid, where the system says (Linux: boot and start time). */
  birth: string | undefined;
}

/** Lock files this very process holds, so that a second opening in it is refused too. */
const held = new Set<string>();

/** Takes the lock and returns the function that gives it back. */
export function takeLock(folder: string): () => void {
  const file = path.resolve(folder, "lock.json");
  const mine = `${JSON.stringify({ pid: process.pid, host: hostname(), birth: birthOf(process.pid) } satisfies Holder)}\n`;
  guarded(`lock ${folder}`, () => {
    // Bounded: each round either succeeds, reports a living holder, or clears one dead holder's lock.
    for (let round = 0; round < 100; round++) {
      if (createExclusive(file, mine)) {
        removeLeftovers(folder);
        return;
      }
      const holder = readHolder(file);
      if (holder === undefined) continue;
      if (held.has(file) || isAlive(holder)) throw inUse(folder, file, holder);
      removeStale(file, holder);
    }
    throw userError(
      "run-in-use",
      `cannot lock ${folder}: other processes keep taking the lock`,
      "Run one command per run folder.",
    );
  });
  held.add(file);
  return () => {
    if (held.delete(file)) rmSync(file, { force: true });
  };
}

/** Written aside and linked into place: the lock never exists half-written. */
function createExclusive(file: string, content: string): boolean {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, content);
  try {
    linkSync(aside, file);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    // File systems without hard links: exclusive creation, whose content may appear a moment later.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
    return createDirectly(file, content);
  } finally {
    rmSync(aside, { force: true });
  }
}

function createDirectly(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when the lock vanished meanwhile. An unreadable lock counts as held by nobody alive. */
function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return { pid: -1, host: hostname(), birth: undefined };
  }
}

function isAlive(holder: Holder): boolean {
  // Another machine's processes cannot be seen from here, so its lock is believed.
  if (holder.host !== hostname()) return true;
  if (!(holder.pid > 0)) return false;
  if (holder.birth !== undefined && birthOf(process.pid) !== undefined) return birthOf(holder.pid) === holder.birth;
  return holder.pid !== process.pid && exists(holder.pid);
}

/** Moves the dead holder's lock away; if a living process slipped its own in between, that one is put back. */
function removeStale(file: string, dead: Holder): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  const isDead = moved?.pid === dead.pid && moved.birth === dead.birth && moved.host === dead.host;
  if (!isDead) linkSync(aside, file);
  rmSync(aside, { force: true });
}

/** Files that a process killed in the middle of taking the lock left beside it. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^lock\.json\.(?:stale\.)?(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !exists(Number(pid))) rmSync(path.join(folder, name), { force: true });
  }
}

/** Whether a process of this machine has the pid. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function birthOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields after the command name, which may itself hold spaces and brackets; start time is the 22nd field of the line.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    // A zombie is dead to us: its parent has not asked for it yet.
    return fields[0] === "Z" ? undefined : `${boot}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function inUse(folder: string, file: string, holder: Holder) {
  const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
  return userError(
    "run-in-use",
    `process ${holder.pid}${where} is working in ${folder}`,
    where === ""
      ? "Wait for it, stop it, or choose another run folder."
      : `Choose another run folder; if that machine no longer runs it, delete ${file}.`,
  );
}
