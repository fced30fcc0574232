/** What a new user meets: the packed package in an empty project, by every Node it names. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installLine, optionalParts } from "#kernel/optional-parts.ts";
import { command, nodes, type PackedPackage, packedPackage, run, tooOldNode } from "./project.ts";

let packed: PackedPackage;
/** With nothing but what its manifest asks for. */
let bare: string;
/** With the optional parts besides. */
let full: string;

beforeAll(() => {
  packed = packedPackage();
  bare = packed.project("bare");
  full = packed.project("full", Object.keys(packed.manifest.peerDependencies));
}, 120_000);
afterAll(() => packed.remove());

describe("the published manifest", () => {
  it("brings no Node, no tools and no scripts into the host project", () => {
    const { manifest } = packed;
    for (const field of ["optionalDependencies", "devDependencies", "scripts", "private", "imports", "allowScripts"]) {
      expect(manifest[field], field).toBeUndefined();
    }
    expect(Object.keys(manifest.dependencies).filter((name) => /node-(bin|linux|win|darwin)/.test(name))).toEqual([]);
  });

  it("asks for each optional part as an optional peer, of any version: a project that has another for itself can install the library", () => {
    const wanted = Object.fromEntries(optionalParts.map((part) => [part.package, "*"]));
    expect(packed.manifest.peerDependencies).toEqual(wanted);
    expect(packed.manifest.peerDependenciesMeta).toEqual(
      Object.fromEntries(optionalParts.map((part) => [part.package, { optional: true }])),
    );
  });

  it("carries sources of no kind, no tests, and the licences of what its pages hold", () => {
    const installed = path.join(bare, "node_modules/midcourse");
    const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /^(?!examples).*(?<!\.d)\.ts$|\.test\./.test(file))).toEqual([]);
    const licences = readFileSync(path.join(installed, "LICENSES-OF-OTHERS.txt"), "utf8");
    for (const name of ["@observablehq/plot", "d3", "d3-array", "interval-tree-1d"]) {
      expect(licences).toMatch(new RegExp(`^${name} \\d`, "m"));
    }
  });
});

it("every link of README, and of the pages it leads to, leads to a file of the package", () => {
  const installed = path.join(bare, "node_modules/midcourse");
  const pages = ["README.md", ...readdirSync(path.join(installed, "docs")).map((name) => `docs/${name}`)];
  const links = pages.flatMap((page) => {
    const found = readFileSync(path.join(installed, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g);
    return [...found].map(([, link]) => path.join(path.dirname(page), link));
  });
  expect(links.length).toBeGreaterThan(25);
  expect(links.filter((link) => !existsSync(path.join(installed, link)))).toEqual([]);
});

const entries = ["midcourse", "midcourse/engine", "midcourse/evaluation", "midcourse/training", "midcourse/verifiers"];
/** One line of `midcourse grade` that needs the algebra system. */
const mathLine = '{"answer":"$\\\\sqrt{8}$","gold":"$2\\\\sqrt{2}$"}\n';

describe.each(nodes)("on $name", ({ program, missing }) => {
  const test = program ? it : it.skip;
  const title = (text: string) => (program ? text : `${text} (skipped: ${missing})`);
  const node = program ?? "";

  test(title("every entry is imported and required without the optional parts"), async () => {
    expect(Object.keys(packed.manifest.exports)).toHaveLength(entries.length + 1);
    writeFileSync(
      path.join(bare, "import.mjs"),
      `for (const entry of ${JSON.stringify(entries)}) console.log(entry, Object.keys(await import(entry)).length);`,
    );
    writeFileSync(
      path.join(bare, "require.cjs"),
      `for (const entry of ${JSON.stringify(entries)}) console.log(entry, Object.keys(require(entry)).length);`,
    );
    const imported = await run(node, ["import.mjs"], bare);
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(imported.stdout.match(/^\S+ [1-9]\d*$/gm)).toHaveLength(entries.length);
    expect(await run(node, ["require.cjs"], bare)).toEqual(imported);
  });

  test(title("the command names its version and lists its methods"), async () => {
    expect(await run(node, [command, "--version"], bare)).toMatchObject({ code: 0, stdout: `${packed.manifest.version}\n` });
    const { code, stdout } = await run(node, [command, "methods"], bare);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("self-refine") });
  });

  test(title("--help reads the commands and none of their work"), async () => {
    const watch = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (process.stderr.write(url + "\\n"), next(url, context)) });`;
    writeFileSync(path.join(bare, "watch.mjs"), watch);
    const { code, stdout, stderr } = await run(node, ["--import", "./watch.mjs", command, "--help"], bare);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: midcourse");
    const read = [...stderr.matchAll(/midcourse\/lib\/(\w+)/g)].map((match) => match[1]);
    expect(read).toContain("cli");
    const heavy = ["engines", "evaluation", "methods", "models", "recipes", "record", "tasks", "training", "verifiers"];
    expect(read.filter((room) => heavy.includes(room))).toEqual([]);
  });

  test(title("eval --limit 5 measures the shipped model and writes its page"), async () => {
    const out = `eval-${path.basename(path.dirname(node))}-${nodes.findIndex((each) => each.program === program)}`;
    const { code, stdout, stderr } = await run(node, [command, "eval", "--limit", "5", "--out", out], full);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/self-refine/);
    const page = readFileSync(path.join(full, out, "report.html"), "utf8");
    expect(page).toContain("Observable, Inc.");
    expect(page).toContain("https://d3js.org");
  });

  test(title("a method of one's own runs from any folder of a project of any type, without a word of Node's"), async () => {
    const own = readFileSync(path.resolve(import.meta.dirname, "../../examples/method/adaptive-consistency.ts"));
    const folder = path.join(bare, "my méthodes #1");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "mine.ts"), own);
    for (const type of ["commonjs", "module", undefined]) {
      writeFileSync(path.join(bare, "package.json"), JSON.stringify({ type }));
      const { code, stdout, stderr } = await run(node, [command, "methods", "'./my méthodes #1/mine.ts'(most=8)"], bare, "", {});
      expect({ code, stderr, type }).toEqual({ code: 0, stderr: "", type });
      expect(stdout).toContain("adaptive-consistency");
    }
  });

  test(title("grade compares mathematics"), async () => {
    const { code, stdout, stderr } = await run(node, [command, "grade", "--kind", "math", "--json"], full, mathLine);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ equal: true });
  });

  test(title("programs run in Pyodide"), async () => {
    const script = `import { openSandbox } from "midcourse/verifiers";
const sandbox = await openSandbox({ prefer: "pyodide" });
console.log((await sandbox.run("print(6 * 7)")).output);
await sandbox.close();`;
    writeFileSync(path.join(full, "sandbox.mjs"), script);
    const { stdout, stderr } = await run(node, ["sandbox.mjs"], full);
    expect(stdout, stderr).toBe("42\n\n");
  });
});

describe("examples of the help", () => {
  const helpOf = async (...words: string[]) => (await run(process.execPath, [command, ...words, "--help"], full)).stdout;
  const right = new Map([
    ["Take 704. Then add 2. Plus 9.", "715"],
    ["A box holds 311 pens. Mia buys 4 boxes. How many pens does Mia have?", "1244"],
  ]);

  it("ask the shipped model what it knows", async () => {
    const text = (await helpOf()) + (await helpOf("solve"));
    const examples = [...text.matchAll(/^ {2}midcourse solve (?!.*--model)(.*?)"([^"]*)"(?= {2}|$)/gm)];
    expect(new Set(examples.map(([, , question]) => question))).toEqual(new Set(right.keys()));
    for (const [, options, question] of examples) {
      const words = options.trim() === "" ? [] : options.trim().replaceAll('"', "").split(" ");
      const { stdout, stderr } = await run(process.execPath, [command, "solve", ...words, question], full);
      expect(stdout.trimEnd().split("\n").at(-1), stderr).toBe(right.get(question));
      expect(stderr).toMatch(/^\(The shipped model answered, .* --model names another\.\)\n$/);
    }
  });

  it("name no folder that a checkout alone has", async () => {
    const commands = [[], ["solve"], ["eval"], ["start"], ["train", "pasr"], ["train", "sft"], ["data", "ptr"], ["data", "card"]];
    for (const words of commands) {
      const text = await helpOf(...words);
      expect(text).toContain("midcourse");
      expect(text).not.toMatch(/\b(models\/base|examples\/|docs\/(?!table-1\.md))/);
    }
  });
});

describe("on a Node that is too old", () => {
  const test = tooOldNode ? it : it.skip;
  const skipped = tooOldNode
    ? ""
    : " (skipped: MIDCOURSE_TOO_OLD_NODE names no node program below 22.18, nor is the system's so old)";

  test(`the command says which it needs${skipped}`, async () => {
    const { code, stdout, stderr } = await run(tooOldNode!, [command, "--version"], bare);
    expect(stderr).toMatch(
      /^midcourse needs Node 22\.18 or newer; this is Node \d+\.\d+\.\d+\.\n {2}→ Install a newer one from \S+, .+\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});

describe("without an optional part, the command says which, and the one line that adds it", () => {
  const [onnxRuntime, pyodide, computeEngine] = optionalParts;

  it.each([
    { words: ["start", "--fast"], part: onnxRuntime },
    { words: ["eval", "--limit", "5", "--out", "absent"], part: onnxRuntime },
    { words: ["solve", "How many?"], part: onnxRuntime },
    { words: ["train", "pasr", "--out", "absent"], part: onnxRuntime },
    { words: ["grade", "--kind", "math"], part: computeEngine },
    { words: ["sandbox", "--prefer", "pyodide"], part: pyodide },
  ])("midcourse $words", async ({ words, part }) => {
    const { code, stderr } = await run(process.execPath, [command, ...words], bare, mathLine);
    expect(stderr).toContain(`midcourse ${words[0]}`);
    expect(stderr).toContain(`needs the package ${part.package}, which is not installed`);
    expect(stderr).toContain(`  → Add it: ${installLine(part)}\n`);
    expect(code).toBe(1);
  });

  it.each([
    ["start", "--out", "made"],
    ["train", "pasr", "--out", "made"],
    ["train", "sft", "--out", "made"],
    ["train", "ptr", "--data", "made.jsonl", "--out", "made"],
    ["reproduce", "pasr-table-1", "--out", "made", "--markdown", "made/table.md"],
    ["eval", "--limit", "5", "--out", "made"],
  ])("midcourse %s %s makes no folder first", async (...words) => {
    writeFileSync(path.join(bare, "made.jsonl"), '{"question":"2+2?","output1":"It is 5.","output2":"No, it is 4."}\n');
    const { code, stderr } = await run(process.execPath, [command, ...words], bare);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("needs the package onnxruntime-node") });
    expect(existsSync(path.join(bare, "made"))).toBe(false);
  });

  it("run by npx it names the line of npx", async () => {
    const cache = path.join(bare, "_npx/0123456789");
    mkdirSync(path.join(cache, "node_modules"), { recursive: true });
    cpSync(path.join(bare, "node_modules"), path.join(cache, "node_modules"), { recursive: true, verbatimSymlinks: true });
    const { code, stderr } = await run(process.execPath, [path.join(cache, command), "start", "--fast"], bare);
    expect(stderr).toContain(
      "  → npx --yes --ignore-scripts --package midcourse --package onnxruntime-node@1.30.0 midcourse start --fast\n",
    );
    expect(code).toBe(1);
  });

  it.each([
    { part: onnxRuntime, words: ["solve", "How many?"] },
    { part: onnxRuntime, words: ["eval", "--limit", "5", "--out", "absent"] },
    { part: computeEngine, words: ["grade", "--kind", "math"] },
    { part: pyodide, words: ["sandbox", "--prefer", "pyodide"] },
  ])(
    "a $part.package that the project has for itself, older than what is needed, is told before midcourse $words works",
    async ({ part, words }) => {
      const older = packed.project(`older-${words[0]}`);
      const folder = path.join(older, "node_modules", part.package);
      mkdirSync(folder, { recursive: true });
      const exported = { ".": "./index.js" };
      writeFileSync(
        path.join(folder, "package.json"),
        JSON.stringify({ name: part.package, version: "0.22.0", exports: exported }),
      );
      writeFileSync(path.join(folder, "index.js"), "");
      const { code, stderr } = await run(process.execPath, [command, ...words], older, mathLine);
      expect(stderr).toContain(`needs the package ${part.package} ${part.version} or newer; 0.22.0 is installed here`);
      expect(stderr).toContain(`  → Add it: ${installLine(part)}\n`);
      expect(code).toBe(1);
    },
  );

  it("a part that does not run on the machine is told as that", async () => {
    const broken = packed.project("broken");
    const folder = path.join(broken, "node_modules/onnxruntime-node");
    mkdirSync(folder);
    const fails = 'exports.InferenceSession = exports.Tensor = undefined;\nthrow new Error("libonnxruntime.so.1: cannot open");';
    writeFileSync(path.join(folder, "index.js"), fails);
    const { code, stderr } = await run(process.execPath, [command, "solve", "How many?"], broken);
    expect(stderr).toContain("does not run here: libonnxruntime.so.1: cannot open");
    expect(stderr).not.toContain("please report");
    expect(code).toBe(1);
  });
});
