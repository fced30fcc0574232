/** Modules of a user's own, by a path or by the name of an installed package. Loading one runs it. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire, findPackageJSON, type LoadHookContext, registerHooks } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { messageOf, userError } from "#kernel/errors.ts";
import { waitingFor } from "#kernel/waiting.ts";

/** Whether a name can only mean a file, which a name of a catalogue never does: `./mine.ts`, `/home/me/mine.js`, `mine.ts`. */
export function isFileName(name: string): boolean {
  return /^\.{1,2}[\\/]|^[\\/]|^[A-Za-z]:[\\/]|\.[cm]?[jt]s$/.test(name);
}

/**
 * What the module exports. `folder` is what paths begin from and where packages are looked for. Undefined for a name that is no path and of
 * no installed package; throws user errors for a file that is missing and for a module that cannot be loaded.
 */
export async function loadModule(name: string, folder = process.cwd()): Promise<Readonly<Record<string, unknown>> | undefined> {
  const file = moduleFile(name, folder);
  if (file === undefined) return undefined;
  if (!existsSync(file)) throw userError("no-module", `there is no file ${name}`, `Looked for ${file}.`);
  const hooks = registerHooks({ load: (url, context, next) => next(url, { ...context, format: formatOf(url, context) }) });
  try {
    return await waitingFor(`the module ${name}`, () => import(pathToFileURL(file).href) as Promise<Record<string, unknown>>);
  } catch (error) {
    // What a module throws may be anything, null too.
    const isTyped = Object(error).code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING";
    const advice = isTyped ? "Node reads no TypeScript in node_modules: give the package's JavaScript." : `The file is ${file}.`;
    throw userError("module-failed", `${name} cannot be loaded: ${messageOf(error)}`, advice, error);
  } finally {
    hooks.deregister();
  }
}

/** Where the module is, or would be; undefined for a name that is no path and of no installed package. */
export function moduleFile(name: string, folder = process.cwd()): string | undefined {
  return isFileName(name) ? path.resolve(folder, name) : packageEntry(name, folder);
}

/**
 * The module's name without its folders and a digest of what it holds, the files that it imports by a path included, so that records tell a
 * changed module from the one they were made with, wherever it lies.
 */
export function moduleContent(name: string, folder = process.cwd()): string {
  const file = moduleFile(name, folder);
  const texts = new Map<string, string>();
  if (file !== undefined) readWithImports(file, texts);
  const hash = createHash("sha256");
  for (const [each, text] of [...texts].sort(([first], [second]) => (first < second ? -1 : 1)))
    hash.update(JSON.stringify([path.relative(path.dirname(file ?? ""), each).replaceAll(path.sep, "/"), text]));
  return `${isFileName(name) ? path.basename(name) : name} of content ${hash.digest("hex").slice(0, 16)}`;
}

function readWithImports(file: string, texts: Map<string, string>): void {
  if (texts.has(file)) return;
  const text = readFileSync(file, "utf8");
  texts.set(file, text);
  for (const [, name] of text.matchAll(/\b(?:from|import|require)\s{0,40}(?:\(\s{0,40})?["'](\.{1,2}\/[^"'\n]+)["']/g)) {
    const inner = path.resolve(path.dirname(file), name);
    const found = ["", ".js", ".cjs", ".json"].map((extension) => inner + extension).find((each) => isFile(each));
    if (found !== undefined) readWithImports(found, texts);
  }
}

function isFile(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * What Node takes a file for, but a file of the user's own that is written as a module is one, whatever the package.json above it says:
 * `npm init` writes `"type": "commonjs"`, under which Node refuses every `import`, and where nothing is written it warns.
 */
function formatOf(url: string, { format }: LoadHookContext): LoadHookContext["format"] {
  const extension = /^file:(?!.*\/node_modules\/).*(\.[jt]s)$/.exec(url)?.[1];
  if (extension === undefined || format?.startsWith("module")) return format;
  if (!isWrittenAsModule(readFileSync(fileURLToPath(url), "utf8"))) return format;
  return extension === ".ts" ? "module-typescript" : "module";
}

/** By a line that begins with `import` or `export` outside of comments, which no script has. */
function isWrittenAsModule(source: string): boolean {
  return /^(import\b\s*[\w{*"']|export\b\s*[\w{*])/m.test(source.replace(/\/\*.*?\*\//gs, ""));
}

function packageEntry(name: string, folder: string): string | undefined {
  if (!/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i.test(name)) return undefined;
  const from = path.join(folder, "package.json");
  try {
    const entry = createRequire(from).resolve(name);
    return path.isAbsolute(entry) ? entry : undefined;
  } catch {
    // A package for `import` alone has no entry for the above.
    return importEntry(name, from);
  }
}

function importEntry(name: string, from: string): string | undefined {
  try {
    const manifest = findPackageJSON(name, from);
    if (manifest === undefined) return undefined;
    const { exports } = JSON.parse(readFileSync(manifest, "utf8"));
    const main = exports?.["."] ?? exports;
    const entry = main?.import?.default ?? main?.import;
    return typeof entry === "string" ? path.join(path.dirname(manifest), entry) : undefined;
  } catch {
    return undefined;
  }
}
