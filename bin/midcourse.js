#!/usr/bin/env node
// In the published package the compiled files are run, in a checkout the sources themselves.
import { existsSync } from "node:fs";
// Whole, because a name that an older Node lacks would end the command before it can say which Node it needs.
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`midcourse needs Node 22.18 or newer; this is Node ${process.versions.node}.
  → Install a newer one from https://nodejs.org, and put it first in PATH; node --version says which one is taken.`);
  process.exit(1);
}
// Half the start-up is reading the same files again; Node keeps them in the system's temporary folder.
module.enableCompileCache();
const compiled = new URL("../lib/cli/main.js", import.meta.url);
await import(existsSync(compiled) ? compiled.href : new URL("../src/cli/main.ts", import.meta.url).href);
