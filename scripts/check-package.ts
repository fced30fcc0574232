/** Packs what would be published and has publint and @arethetypeswrong/cli look at the tarball itself: entries, types, formats. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { packPackage } from "./pack.ts";

const root = path.resolve(import.meta.dirname, "..");
const folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-package-"));
const run = (tool: string, ...words: string[]) =>
  execFileSync(process.execPath, [path.join(root, "node_modules", tool), ...words], { cwd: root, stdio: "inherit" });
try {
  const tarball = packPackage(folder);
  run("publint/src/cli.js", tarball, "--strict");
  // Node 22.12 and later require modules as they are, so there is no second copy for require and nothing for resolutions of before 2020.
  run("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
