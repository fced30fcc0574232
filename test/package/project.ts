/**
 * An empty project with the packed package in it, as an install would leave it: the tarball unpacked, and beside it exactly what its manifest
 * declares, so that an undeclared dependency is missed. Nothing is asked of a registry.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { packPackage } from "../../scripts/pack.ts";

const modules = path.resolve(import.meta.dirname, "../../node_modules");
const execute = promisify(execFile);

/** What is tested on each Node: the one at hand always, others where a variable names their program. */
export const nodes: readonly { name: string; program: string | undefined; missing: string }[] = [
  { name: "the Node at hand", program: process.execPath, missing: "" },
  ...(["lowest", "newest"] as const).map((which) => {
    const variable = `MIDCOURSE_${which.toUpperCase()}_NODE`;
    return {
      name: `the ${which} Node`,
      program: process.env[variable],
      missing: `${variable} names no node program of the ${which} promised version`,
    };
  }),
];

/** A Node that is older than the lowest promised one: the one a variable names, or the system's where that is so old. */
export const tooOldNode = process.env.MIDCOURSE_TOO_OLD_NODE ?? systemNodes().find(isTooOld);

/** Every `node` on the path but those that the checkout brings. */
function systemNodes(): string[] {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.map((folder) => path.join(folder, "node")).filter((program) => existsSync(program));
}

function isTooOld(program: string): boolean {
  const version = execFileSync(program, ["--version"], { encoding: "utf8" });
  const [major, minor] = version.slice(1).split(".").map(Number);
  return major < 22 || (major === 22 && minor < 18);
}

export interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  exports: Record<string, unknown>;
  [field: string]: unknown;
}

export interface PackedPackage {
  manifest: Manifest;
  /** An empty project with the package, its dependencies, and these optional or additional packages. */
  project(name: string, extra?: readonly string[]): string;
  remove(): void;
}

export function packedPackage(): PackedPackage {
  const root = mkdtempSync(path.join(os.tmpdir(), "midcourse-install-"));
  const tarball = packPackage(root);
  const manifest = JSON.parse(readFileSync(path.join(root, "package/package.json"), "utf8")) as Manifest;
  return {
    manifest,
    project(name, extra = []) {
      const folder = path.join(root, name);
      const installed = path.join(folder, "node_modules/midcourse");
      mkdirSync(installed, { recursive: true });
      execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
      // Dependencies of dependencies are found from where these lie, and from nowhere else.
      for (const each of [...Object.keys(manifest.dependencies), ...extra]) {
        const link = path.join(folder, "node_modules", each);
        mkdirSync(path.dirname(link), { recursive: true });
        symlinkSync(path.join(modules, each), link, "junction");
      }
      return folder;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program of a project by a Node; the environment is empty but for the path and what is given. */
export async function run(
  program: string,
  words: readonly string[],
  cwd: string,
  input = "",
  environment: Readonly<Record<string, string>> = { NODE_NO_WARNINGS: "1" },
): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: cwd, ...environment };
  const running = execute(program, words, { cwd, env, maxBuffer: 1 << 26 });
  running.child.stdin?.on("error", () => {}).end(input);
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
  }
}

/** The package's command as `npx midcourse` runs it. */
export const command = "node_modules/midcourse/bin/midcourse.js";
