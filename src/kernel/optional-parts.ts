/**
 * Packages that no install brings until somebody needs them: together they weigh ten times everything else, and most uses of the library
 * never touch them. The code that does asks here first, so that what is missing is told in one line with what to type.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { MidcourseError, userError } from "./errors.ts";

export interface OptionalPart {
  package: string;
  /** What this version was tested with; older ones are refused where they are used. */
  version: string;
  /** Code of the error that says it is missing, or too old. */
  code: string;
  /** Begins the sentence “… needs the package”. */
  needing: string;
}

export const onnxRuntime: OptionalPart = {
  package: "onnxruntime-node",
  version: "1.30.0",
  code: "no-onnxruntime",
  needing: "The embedded engine, which runs and trains checkpoint folders,",
};

export const pyodide: OptionalPart = {
  package: "pyodide",
  version: "314.0.7",
  code: "no-pyodide",
  needing: "The sandbox of Python as WebAssembly",
};

export const computeEngine: OptionalPart = {
  package: "@cortex-js/compute-engine",
  version: "0.140.0",
  code: "no-compute-engine",
  needing: "Comparing mathematical answers",
};

export const optionalParts: readonly OptionalPart[] = [onnxRuntime, pyodide, computeEngine];

/** Undefined for any other error. */
export function partMissingBy(error: unknown): OptionalPart | undefined {
  return MidcourseError.isInstance(error) ? optionalParts.find((part) => part.code === error.code) : undefined;
}

/** For a shell in the project's folder. ONNX Runtime's install script fetches GPU libraries that are not used here, often in vain. */
export function installLine({ package: name, version }: OptionalPart): string {
  return `npm install --ignore-scripts ${name}@${version}`;
}

/**
 * @throws userError where the package cannot be found, or is older than what we were tested with: npm puts up with any version, since most
 * of the library needs none. `resolve` is that of the module that needs the part: `createRequire(import.meta.url).resolve`.
 */
export function requirePart(part: OptionalPart, resolve: (specifier: string) => string): void {
  let entry: string;
  try {
    entry = resolve(part.package);
  } catch (error) {
    throw partFailure(part, error);
  }
  const found = versionOf(part, entry);
  if (found !== undefined && isOlder(found, part.version)) {
    const problem = `${part.needing} needs the package ${part.package} ${part.version} or newer; ${found} is installed here`;
    throw userError(part.code, problem, `Add it: ${installLine(part)}`);
  }
}

/** From the package's own manifest, which not all let others import. Undefined where there is none. */
function versionOf(part: OptionalPart, entry: string): string | undefined {
  for (let folder = path.dirname(entry); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const file = path.join(folder, "package.json");
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
    if (name === part.package) return version;
  }
  return undefined;
}

function isOlder(version: string, wanted: string): boolean {
  const [found, needed] = [version, wanted].map((each) => each.split(/[.-]/, 3).map(Number));
  const place = needed.findIndex((part, index) => found[index] !== part);
  return place >= 0 && found[place] < needed[place];
}

/** What an error while loading the package means: it is not there, or it does not run on this machine. */
export function partFailure(part: OptionalPart, error: unknown): MidcourseError {
  const { code, message } = error as { code?: string; message?: string };
  const isAbsent = /MODULE_NOT_FOUND$/.test(code ?? "") && message?.includes(part.package);
  const problem = isAbsent ? "which is not installed" : `which does not run here: ${message ?? error}`;
  const advice = isAbsent ? `Add it: ${installLine(part)}` : `Install it again: ${installLine(part)}`;
  return userError(
    isAbsent ? part.code : "broken-part",
    `${part.needing} needs the package ${part.package}, ${problem}`,
    advice,
    error,
  );
}
