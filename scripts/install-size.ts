/**
 * What an install weighs: packs the package and lets npm install the tarball into an empty folder, from the registry and with install scripts
 * on, as an application would. `npm run size -- [PACKAGE…]` adds optional parts as the errors say to; without any the limit below
 * holds.
 */
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { packPackage } from "./pack.ts";

const mostMegabytes = 40;
const more = process.argv.slice(2);
const root = mkdtempSync(path.join(os.tmpdir(), "midcourse-size-"));
try {
  const tarball = packPackage(root);
  const application = path.join(root, "application");
  mkdirSync(application);
  writeFileSync(path.join(application, "package.json"), '{ "private": true }\n');
  // A checkout runs no install scripts; an application's npm does, whoever calls this.
  const env = { ...process.env, npm_config_ignore_scripts: more.length > 0 ? "true" : "false" };
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", tarball, ...more], {
    cwd: application,
    env,
    shell: process.platform === "win32",
    stdio: ["ignore", "ignore", "inherit"],
  });
  const modules = path.join(application, "node_modules");
  const files = readdirSync(modules, { recursive: true, encoding: "utf8" }).map((file) => lstatSync(path.join(modules, file)));
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  const blocks = files.reduce((sum, file) => sum + (file.isFile() ? (file.blocks ?? 0) * 512 : 0), 0);
  const [megabytes, onDisk] = [bytes, blocks].map((count) => count / 1e6);
  const programs = readdirSync(path.join(modules, ".bin"));
  console.log(
    `${["midcourse", ...more].join(" ")}: ${megabytes.toFixed(1)} MB, ${onDisk.toFixed(1)} MB on the disk, commands: ${programs.join(" ")}`,
  );
  if (more.length === 0 && onDisk > mostMegabytes) throw new Error(`that is more than ${mostMegabytes} MB`);
  if (programs.includes("node")) throw new Error("the install brings a node of its own");
} finally {
  rmSync(root, { recursive: true, force: true });
}
