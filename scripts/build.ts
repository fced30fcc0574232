/**
 * Makes the folder that is published, with a manifest of its own: `node scripts/build.ts [FOLDER]`, `dist` where none is given. A checkout
 * runs its sources and never needs it. Node strips types everywhere but inside node_modules, so the package carries plain JavaScript of
 * what the oldest promised Node knows, and declarations for everything its entries reach. Imports by room (`#kernel/budget.ts`) become
 * relative ones: bundlers then follow them without an import map.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { transformSync } from "esbuild";

interface Manifest extends Record<string, unknown> {
  engines: { node: string };
  dependencies: Record<string, string>;
  exports: Record<string, string>;
}

const root = path.resolve(import.meta.dirname, "..");
const out = path.resolve(process.argv[2] ?? path.join(root, "dist"));
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;
/** Scripts of the report's page. They lie beside its own, so that no install needs the libraries themselves. */
const pageLibraries = { d3: "dist/d3.min.js", "@observablehq/plot": "dist/plot.umd.min.js" };

rmSync(out, { recursive: true, force: true });
compile();
copy();
write("package.json", `${JSON.stringify(publishedManifest(), null, 2)}\n`);
write("LICENSES-OF-OTHERS.txt", licencesOfOthers());

function compile(): void {
  const target = `node${manifest.engines.node.replace(">=", "")}`;
  for (const file of globSync("**/*.ts", { cwd: path.join(root, "src"), exclude: ["**/*.test.ts", "**/*.d.ts"] })) {
    const source = readFileSync(path.join(root, "src", file), "utf8");
    const kept = { charset: "utf8", supported: { "inline-script": false } } as const;
    const { code } = transformSync(source, { loader: "ts", format: "esm", target, sourcefile: file, ...kept });
    write(`lib/${file.replace(/\.ts$/, ".js")}`, withRelativeImports(code, file));
  }
  const compiler = path.join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--outDir", path.join(out, "lib")], {
    cwd: root,
    stdio: "inherit",
  });
  for (const file of globSync("**/*.d.ts", { cwd: path.join(out, "lib") })) {
    write(`lib/${file}`, withRelativeImports(readFileSync(path.join(out, "lib", file), "utf8"), file));
  }
}

/** `#room/x.ts` and `./x.ts`, in imports and in the addresses of workers, as the names of the compiled files. */
function withRelativeImports(code: string, file: string): string {
  return code.replace(/"(#|\.\.?\/)([\w./-]+)\.ts"/g, (_, start: string, name: string) => {
    if (start !== "#") return `"${start}${name}.js"`;
    const relative = path.posix.relative(path.posix.dirname(file.split(path.sep).join("/")), name);
    return `"${relative.startsWith(".") ? "" : "./"}${relative}.js"`;
  });
}

function copy(): void {
  for (const name of ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "bin", "models", "docs", "examples"]) {
    cpSync(path.join(root, name), path.join(out, name), { recursive: true });
  }
  for (const file of globSync("docs/*.md", { cwd: out })) {
    write(file, readFileSync(path.join(out, file), "utf8").replace(/\]\(\.\.\/src\/([\w./-]+)\.ts\)/g, "](../lib/$1.js)"));
  }
  for (const file of globSync("**/*.{js,css}", { cwd: path.join(root, "src") })) {
    cpSync(path.join(root, "src", file), path.join(out, "lib", file));
  }
  for (const [name, file] of Object.entries(pageLibraries)) {
    cpSync(path.join(root, "node_modules", name, file), path.join(out, "lib/evaluation/page", path.basename(file)));
  }
}

/** Without what is for a checkout alone: its scripts, its tools, and the Node that it brings along. */
function publishedManifest(): Record<string, unknown> {
  const { private: _, scripts, imports, allowScripts, devDependencies, optionalDependencies, ...kept } = manifest;
  const entries = Object.entries(manifest.exports).map(([entry, source]) => {
    const compiled = source.replace(/^\.\/src\/(.*)\.ts$/, "./lib/$1");
    return [entry, compiled === source ? source : { types: `${compiled}.d.ts`, default: `${compiled}.js` }];
  });
  return {
    ...kept,
    exports: Object.fromEntries(entries),
    // Nothing but the command and the threads does anything by being imported.
    sideEffects: ["./bin/*", "./lib/cli/main.js", "./lib/**/*worker.js", "./lib/**/*-child.js"],
    // Pinned where we test; an application may share its own compatible copy.
    dependencies: Object.fromEntries(Object.entries(manifest.dependencies).map(([name, version]) => [name, `^${version}`])),
  };
}

/** Licences of all that stands in the page's scripts: the libraries and what is bundled into them. */
function licencesOfOthers(): string {
  const names = new Set<string>(Object.keys(pageLibraries));
  for (const name of names) for (const needed of Object.keys(packageOf(name).dependencies ?? {})) names.add(needed);
  const texts = [...names].sort().map((name) => {
    const folder = path.join(root, "node_modules", name);
    const file = globSync("{LICEN[CS]E,licen[cs]e}*", { cwd: folder })[0];
    const text =
      file === undefined ? `License: ${packageOf(name).license}` : readFileSync(path.join(folder, file), "utf8").trim();
    return `${name} ${packageOf(name).version}\n\n${text}\n`;
  });
  return `The page of a report carries d3 and Observable Plot, which are made of:\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function packageOf(name: string): { version: string; license: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"));
}

function write(name: string, content: string): void {
  const file = path.join(out, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

if (!existsSync(path.join(out, "lib/index.d.ts"))) throw new Error("the declarations are missing");
