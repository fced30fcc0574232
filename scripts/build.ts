/**
 * Makes `dist/` for the published package: Node runs TypeScript sources as they are everywhere except inside node_modules, so the package
 * carries the same files with their types stripped. Run by `npm pack` and `npm publish`; a checkout never needs it.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const dist = path.join(root, "dist");
rmSync(dist, { recursive: true, force: true });

const files = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" });
const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.endsWith(".d.ts"));
for (const file of sources) {
  const source = readFileSync(path.join(root, "src", file), "utf8");
  // Room imports (`#room/file.ts`) keep their spelling: the import map below sends them to the stripped file.
  const code = stripTypeScriptTypes(source).replace(/(["'])(\.\.?\/[^"'\n]*)\.ts\1/g, "$1$2.js$1");
  const target = path.join(dist, file.replace(/\.ts$/, ".js"));
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, code);
}
// The report's own page scripts and styles are read at run time.
for (const file of files.filter((name) => /\.(js|css)$/.test(name))) {
  mkdirSync(path.join(dist, path.dirname(file)), { recursive: true });
  copyFileSync(path.join(root, "src", file), path.join(dist, file));
}
writeFileSync(
  path.join(dist, "package.json"),
  `${JSON.stringify({ type: "module", imports: { "#*.ts": "./*.js" } }, null, 2)}\n`,
);
console.log(`dist: ${sources.length} files`);
