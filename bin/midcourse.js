#!/usr/bin/env node
// In the published package the stripped files are run, in a checkout the sources themselves.
import { existsSync } from "node:fs";

const built = new URL("../dist/cli/main.js", import.meta.url);
await import(existsSync(built) ? built.href : new URL("../src/cli/main.ts", import.meta.url).href);
