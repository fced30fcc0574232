/** What would be published, as a tarball. */
import { execFileSync } from "node:child_process";
import path from "node:path";

/** Builds the package in `folder` and packs it there; returns the tarball's path. Asks no registry. */
export function packPackage(folder: string): string {
  const built = path.join(folder, "package");
  execFileSync(process.execPath, [path.join(import.meta.dirname, "build.ts"), built], { stdio: ["ignore", "ignore", "inherit"] });
  const packed = execFileSync("npm", ["pack", built, "--json", "--offline"], {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const names = JSON.parse(packed) as { filename: string }[] | Record<string, { filename: string }>;
  return path.join(folder, Object.values(names)[0].filename);
}
