/** What an application does with the package: bundle it, compile against it, and do what README says. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import webpack from "webpack";
import { installLine, optionalParts } from "#kernel/optional-parts.ts";
import { type ChatServer, chatServer } from "../ai-sdk/chat-server.ts";
import { command, nodes, type PackedPackage, packedPackage, run } from "./project.ts";

const root = path.resolve(import.meta.dirname, "../..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const snippets = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]);
const compiler = path.join(root, "node_modules/typescript/bin/tsc");

let packed: PackedPackage;
let server: ChatServer;

beforeAll(async () => {
  packed = packedPackage();
  server = await chatServer(() => ({ content: "Four times." }));
}, 120_000);
afterAll(async () => {
  await server.close();
  packed.remove();
});

describe("an application that only refines, bundled", () => {
  /** Answers by a scripted model, so that the bundle shows that it works. */
  const application = `import { FakeModel, selfRefine, refine, toAiSdk } from "midcourse";
import * as everything from "midcourse";
const model = refine(toAiSdk(new FakeModel(() => "Four."), { maxTokens: 16 }), selfRefine({ rounds: 1 }));
const prompt = [{ role: "user", content: [{ type: "text", text: "How many?" }] }];
model.doGenerate({ prompt }).then(({ content }) => console.log(content.at(-1).text, Object.keys(everything).length > 20));
`;
  const heavy =
    /onnxruntime|pyodide|compute-engine|\.node$|midcourse\/lib\/(engines|training|recipes|verifiers|evaluation|tasks|cli)\//;
  const expected = { code: 0, stdout: "Four. true\n", stderr: "" };
  let folder: string;

  beforeAll(() => {
    folder = packed.project("bundled");
    writeFileSync(path.join(folder, "application.js"), application);
  });

  it.each([
    { format: "esm", file: "esbuild.mjs" },
    { format: "cjs", file: "esbuild.cjs" },
  ] as const)(
    "by esbuild as $format holds nothing native, no Python, no algebra system, and runs alone",
    async ({ format, file }) => {
      const options = { bundle: true, platform: "node", format, metafile: true, absWorkingDir: folder } as const;
      const out = `alone-${format}/${file}`;
      const { metafile, warnings } = await build({
        ...options,
        entryPoints: ["application.js"],
        outfile: out,
        logLevel: "silent",
      });
      expect(warnings).toEqual([]);
      expect(Object.keys(metafile.inputs).length).toBeGreaterThan(50);
      expect(Object.keys(metafile.inputs).filter((input) => heavy.test(input))).toEqual([]);
      expect(await run(process.execPath, [out], folder)).toEqual(expected);
    },
  );

  it("by webpack, the same", async () => {
    const { modules, problems } = await bundleByWebpack(folder, "webpack");
    expect(problems).toEqual([]);
    expect(modules.length).toBeGreaterThan(50);
    expect(modules.filter((module) => heavy.test(module))).toEqual([]);
    expect(await run(process.execPath, ["webpack/main.cjs"], folder)).toEqual(expected);
  });

  it("a bundle of the engine would be seen to hold it", async () => {
    writeFileSync(path.join(folder, "engine.js"), 'import { openModel } from "midcourse/engine";\nconsole.log(openModel);');
    const { metafile } = await build({
      entryPoints: ["engine.js"],
      absWorkingDir: folder,
      bundle: true,
      platform: "node",
      metafile: true,
      write: false,
      format: "esm",
    });
    expect(Object.keys(metafile.inputs).filter((input) => heavy.test(input))).not.toEqual([]);
  });
});

async function bundleByWebpack(folder: string, out: string): Promise<{ modules: string[]; problems: string[] }> {
  const compilation = webpack({
    mode: "production",
    target: "node",
    context: folder,
    entry: "./application.js",
    output: { path: path.join(folder, out), filename: "main.cjs" },
  });
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
    compilation!.run((error, found) => (error ? reject(error) : resolve(found))),
  );
  await new Promise((resolve) => compilation!.close(resolve));
  const { errors = [], warnings = [] } = stats!.toJson({ all: false, errors: true, warnings: true });
  return {
    modules: [...stats!.compilation.modules].map((module) => module.identifier()),
    problems: [...errors, ...warnings].map(({ message }) => message),
  };
}

describe("a strict TypeScript project", () => {
  it.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ])("compiles README's snippets and every entry under $moduleResolution", async (resolution) => {
    expect(snippets.length).toBeGreaterThanOrEqual(2);
    const folder = packed.project(`typed-${resolution.moduleResolution}`, ["ai", "@ai-sdk/openai-compatible", "@types/node"]);
    snippets.forEach((snippet, index) => {
      writeFileSync(path.join(folder, `snippet-${index}.ts`), snippet);
    });
    const entries = Object.keys(packed.manifest.exports).filter((entry) => !entry.endsWith(".json"));
    const imports = entries.map((entry, index) => `export * as entry${index} from "midcourse${entry.slice(1)}";`);
    writeFileSync(path.join(folder, "entries.ts"), imports.join("\n"));
    // A slip in a name is an error: the types are really there.
    const slip =
      'import { refine } from "midcourse";\n// @ts-expect-error: no such method\nexport const slip = refine("model", "self-refine");\n';
    writeFileSync(path.join(folder, "slip.ts"), slip);
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    const options = { target: "es2022", strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ["node"] };
    // Our own declarations are checked to the last line; those of the AI SDK do not hold under the strictest settings.
    for (const [files, skipLibCheck] of [
      [["entries.ts", "slip.ts"], false],
      [snippets.map((_, index) => `snippet-${index}.ts`), true],
    ] as const) {
      const compilerOptions = { ...options, ...resolution, skipLibCheck };
      writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      const { code, stdout } = await run(process.execPath, [compiler, "-p", "."], folder);
      expect({ code, errors: stdout.match(/^\S.*$/gm) ?? [] }).toEqual({ code: 0, errors: [] });
    }
  });
});

describe("README", () => {
  it.each(nodes.filter(({ program }) => program !== undefined))(
    "its snippets run over a server on $name",
    async ({ name, program }) => {
      const folder = packed.project(`snippets on ${name}`, ["ai", "@ai-sdk/openai-compatible"]);
      for (const [index, snippet] of snippets.entries()) {
        const script = snippet.replaceAll("http://127.0.0.1:8000/v1", server.baseUrl);
        expect(script, "snippets name the server at 127.0.0.1:8000").not.toBe(snippet);
        writeFileSync(path.join(folder, `snippet-${index}.ts`), script);
        const { code, stdout, stderr } = await run(program!, [`snippet-${index}.ts`], folder);
        expect(code, stderr).toBe(0);
        expect(stdout).not.toBe("");
      }
    },
  );

  it("its commands that need no network run", async () => {
    const folder = packed.project("commands", Object.keys(packed.manifest.peerDependencies));
    const told = [...readme.matchAll(/npx midcourse ((?:"[^"]*"|[^\n`"#])*)/g)].map((match) => match[1].trim());
    expect(told.length).toBeGreaterThan(10);
    const asks = /^(methods|eval|sandbox|.*--help|solve .*|grade .*|check-format .*)$/;
    const offline = [...new Set(told.filter((words) => asks.test(words)))];
    expect(offline.length).toBeGreaterThan(6);
    mkdirSync(path.join(folder, "runs"));
    for (const words of offline) {
      const [asked] = words.split("<");
      const parts = [...asked.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]);
      const short = words === "eval" ? ["--limit", "3"] : [];
      const { code, stderr } = await run(
        process.execPath,
        [command, ...parts, ...short],
        folder,
        '{"text":"4","answer":"4","gold":"4"}\n',
      );
      expect(code, `midcourse ${words}\n${stderr}`).toBe(0);
    }
    expect(readdirSync(path.join(folder, "runs"))).not.toEqual([]);
  }, 120_000);

  it("names the types that declarations need and no install brings", () => {
    const lib = path.join(packed.project("types"), "node_modules/midcourse/lib");
    const declarations = readdirSync(lib, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".d.ts"));
    const own = declarations.map((file) => readFileSync(path.join(lib, file), "utf8")).join("\n");
    const provider = readFileSync(path.join(root, "node_modules/@ai-sdk/provider/dist/index.d.ts"), "utf8");
    const needed = [...`${own}\n${provider}`.matchAll(/\bfrom ["']([^"'.][^"']*)["']/g)].map(([, name]) =>
      name.replace(/^node:.*/, "node"),
    );
    const untyped = [...new Set(needed)].filter((name) => existsSync(path.join(root, "node_modules/@types", name)));
    expect(untyped.sort()).toEqual(["json-schema", "node"]);
    for (const name of untyped) expect(readme).toContain(`\`@types/${name}\``);
  });

  it("names the line that adds each optional part", () => {
    for (const part of optionalParts) expect(readme).toContain(`\`${installLine(part)}\``);
    const [onnxRuntime] = optionalParts;
    const npx = `npx --yes --ignore-scripts --package midcourse --package ${onnxRuntime.package}@${onnxRuntime.version} midcourse start`;
    expect(readme).toContain(npx);
  });
});
