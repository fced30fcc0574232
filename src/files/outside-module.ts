/** A module from outside the package, such as a card in a file of one's own: TypeScript is read by Node itself, outside of node_modules. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, userError } from "#kernel/errors.ts";

/** Whether a name means a file, which a name of the catalogue never does. */
export function isFileName(name: string): boolean {
  return path.isAbsolute(name) || /^\.{1,2}[/\\]/.test(name) || /\.[cm]?[jt]s$/.test(name);
}

/** `name` is a file, from the working directory, or a package that is installed there or beside this one. */
export async function importOutside(name: string): Promise<Record<string, unknown>> {
  const address = isFileName(name) ? fileAddress(name) : packageAddress(name);
  try {
    return (await import(address)) as Record<string, unknown>;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ERR_MODULE_NOT_FOUND" && address === name)
      throw missing(name, "no file and no package that is installed here", error);
    const advice =
      code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING"
        ? "Node reads no TypeScript in node_modules: give the package's JavaScript."
        : "Run it by itself with node to see where.";
    throw userError("module-failed", `${name} could not be loaded: ${messageOf(error)}`, advice, error);
  }
}

function fileAddress(name: string): string {
  const file = path.resolve(name);
  if (!existsSync(file)) throw missing(name, `no file (${file})`);
  return pathToFileURL(file).href;
}

function packageAddress(name: string): string {
  try {
    return pathToFileURL(createRequire(path.resolve("from-here.js")).resolve(name)).href;
  } catch {
    // A package that only knows `import` is found from where this one lies.
    return name;
  }
}

function missing(name: string, what: string, cause?: unknown) {
  return userError(
    "module-missing",
    `${name} is ${what}`,
    "Check the name; a file is named with its folder, such as ./mine.ts.",
    cause,
  );
}
