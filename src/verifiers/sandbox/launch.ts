/**
 * Ways to start a process so that the operating system holds it, and to end it with whatever it started. Held means: another user, no network, its own process table, and a file system that
 * has nothing but read-only copies of the paths it needs. Linux only; elsewhere there is no such launcher and WebAssembly has to do.
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, realpathSync, rmdirSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** The user and group that own nothing. */
const nobody = "65534";
const systemPath = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
const dropAll = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];

export interface CommandLine {
  file: string;
  args: string[];
}

export interface Launcher {
  readonly name: "bubblewrap" | "namespaces";
  /** The command line that runs `command` with these paths, and shared libraries, as the only files it can see. */
  wrap(command: CommandLine, readable: readonly string[]): CommandLine;
  close(): void;
}

/** The launchers whose tools are installed here, best first. Whether they work is known only after trying. */
export function launchers(): Launcher[] {
  if (process.platform !== "linux") return [];
  const found: Launcher[] = [];
  const bubblewrapFile = findTool("bwrap");
  if (bubblewrapFile !== undefined) found.push(bubblewrap(bubblewrapFile));
  const tools = ["unshare", "chroot", "mount", "setpriv", "sh"].map(findTool);
  if (tools.every((tool) => tool !== undefined)) found.push(namespaces());
  return found;
}

function findTool(name: string): string | undefined {
  return systemPath
    .split(":")
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/**
 * The same command, killed by the kernel when we are, however we end: a program in an endless loop notices nothing by itself. Unchanged where
 * setpriv cannot do that, macOS and Windows above all.
 */
export function dieWithParent(command: CommandLine): CommandLine {
  const setpriv = deathSignalTool();
  return setpriv === undefined ? command : { file: setpriv, args: ["--pdeathsig", "KILL", command.file, ...command.args] };
}

let deathSignal: { tool: string | undefined } | undefined;

function deathSignalTool(): string | undefined {
  if (deathSignal === undefined) {
    const tool = process.platform === "linux" ? findTool("setpriv") : undefined;
    const help = tool === undefined ? "" : spawnSync(tool, ["--help"], { encoding: "utf8", timeout: 10_000 }).stdout;
    deathSignal = { tool: help?.includes("--pdeathsig") ? tool : undefined };
  }
  return deathSignal.tool;
}

const isRoot = () => process.getuid?.() === 0;

/** https://github.com/containers/bubblewrap. Started by root it would map its user to root outside, so root becomes nobody first. */
function bubblewrap(file: string): Launcher {
  const help = spawnSync(file, ["--help"], { encoding: "utf8", timeout: 10_000 });
  const cannotNest = `${help.stdout}${help.stderr}`.includes("--disable-userns") ? ["--disable-userns"] : [];
  return {
    name: "bubblewrap",
    wrap(command, readable) {
      const args = ["--unshare-all", "--unshare-user", ...cannotNest, "--die-with-parent", "--new-session", "--cap-drop", "ALL"];
      args.push("--uid", nobody, "--gid", nobody);
      for (const mount of mounts(readable)) {
        if (mount.target === undefined) args.push("--ro-bind", mount.path, mount.path);
        else args.push("--symlink", mount.target, mount.path);
      }
      args.push("--remount-ro", "/", "--chdir", "/", "--", command.file, ...command.args);
      if (!isRoot()) return { file, args };
      const privileges = [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--no-new-privs"];
      return { file: "setpriv", args: [...privileges, file, ...args] };
    },
    close() {},
  };
}

/**
 * The same with util-linux and coreutils alone: new namespaces, an empty file system in memory with read-only binds, chroot, and every
 * privilege dropped. Root becomes nobody; any other user keeps their own number, without rights over anything that can be seen.
 */
function namespaces(): Launcher {
  let root: string | undefined;
  return {
    name: "namespaces",
    wrap(command, readable) {
      root ??= mkdtempSync(path.join(os.tmpdir(), "midcourse-sandbox-"));
      const unshare = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL"];
      if (!isRoot()) unshare.push("--user", "--map-root-user");
      const setpriv = realpathSync(findTool("setpriv")!);
      const drop = isRoot() ? [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", ...dropAll] : dropAll;
      const binds = mounts([...readable, setpriv]).flatMap((mount) => [mount.kind, mount.path, mount.target ?? ""]);
      // Becoming somebody else makes the kernel forget whose death a process should follow, so it is told again afterwards.
      const following = deathSignalTool() === undefined ? [] : ["--pdeathsig", "KILL"];
      const inside = [setpriv, ...following, ...drop, command.file, ...command.args];
      return dieWithParent({
        file: "unshare",
        args: [...unshare, "sh", "-c", rootScript, "sh", root, ...binds, "--", ...inside],
      });
    },
    close() {
      if (root === undefined) return;
      try {
        rmdirSync(root);
      } catch {
        // Left behind empty at worst.
      }
      root = undefined;
    },
  };
}

const rootScript = `set -eu
root=$1; shift
mount -t tmpfs -o mode=0755,size=1m,nosuid,nodev tmpfs "$root"
while [ "$1" != -- ]; do
  case $1 in
    link) mkdir -p "$root\${2%/*}"; ln -s "$3" "$root$2" ;;
    folder) mkdir -p "$root$2"; mount --bind "$2" "$root$2"; mount -o remount,bind,ro "$root$2" ;;
    file) mkdir -p "$root\${2%/*}"; : > "$root$2"; mount --bind "$2" "$root$2"; mount -o remount,bind,ro "$root$2" ;;
  esac
  shift 3
done
shift
mount -o remount,bind,ro,nosuid,nodev "$root"
ulimit -c 0
cd "$root"
exec chroot "$root" "$@"`;

interface Mount {
  kind: "link" | "folder" | "file";
  path: string;
  /** Of a symbolic link. */
  target?: string;
}

/** Where shared libraries lie; nothing of a user's is there. */
const libraryPaths = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"];

/** Parents before children, without what an earlier one already brings. */
function mounts(readable: readonly string[]): Mount[] {
  const nix = readable.some((file) => file.startsWith("/nix/")) ? ["/nix/store"] : [];
  const wanted = [...new Set([...libraryPaths, ...nix, ...readable])].filter((file) => existsSync(file)).sort();
  const result: Mount[] = [];
  for (const file of wanted) {
    const real = libraryPaths.includes(file) ? file : realpathSync(file);
    if (result.some((mount) => mount.kind !== "link" && (real === mount.path || real.startsWith(`${mount.path}/`)))) continue;
    if (lstatSync(real).isSymbolicLink()) result.push({ kind: "link", path: real, target: readlinkSync(real) });
    else result.push({ kind: statSync(real).isDirectory() ? "folder" : "file", path: real });
  }
  return result;
}

/** What a launcher itself may read of the environment: where its tools are. The program sees none of it. */
export const launchEnvironment = { PATH: systemPath };

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
