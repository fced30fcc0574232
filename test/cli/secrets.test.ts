/** Secrets planted in every answer of a server and in every place of a command: no file of the run and no byte on the screen holds one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../support/command.ts";
import { chatReply, chunk, type ModelServer, type PlayedReply, type PlayedRequest, playServer } from "../support/model-server.ts";

const secrets = {
  key: "sk-planted/key+73915",
  password: "pass-47-word",
  proxyPassword: "proxy-81-word",
  extra: "planted-extra-44",
  header: "planted-header-55",
  hub: "hf_planted_66",
};

/** Each as it is, and as servers and programs write it. */
function forms(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
    Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1),
    Buffer.from(`ann:${secret}`).toString("base64").replace(/=+$/, "").slice(6, -1),
  ];
}

const planted = Object.values(secrets)
  .flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")])
  .join(" ");

let folder: string;
let server: ModelServer;
let failures = 0;
/** Refusals and breakdowns among the answers. */
let fails = true;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "secrets-"));
  server = await playServer(answer);
  const rows = [1, 2, 3, 4].map((number) => ({
    question: `What is ${number} plus ${number}?`,
    answer: `It is #### ${2 * number}`,
  }));
  writeFileSync(path.join(folder, "questions.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function answer({ path: at, body }: PlayedRequest): PlayedReply {
  const headers = { "x-request-id": planted };
  if (at.endsWith("/models")) return { headers, body: { data: [{ id: "m" }] } };
  if (!at.endsWith("/chat/completions")) return { status: 404, headers, body: planted };
  failures++;
  if (fails && failures % 3 === 0) return { status: 400, headers, body: { error: { message: `no: ${planted}`, code: planted } } };
  if (fails && failures % 7 === 0) return { status: 500, headers, body: planted };
  if (body?.stream === true) {
    const pieces = `I was given ${planted}. The answer is 4.`.match(/.{1,3}/gs) ?? [];
    const event = (delta: object) => chunk({ id: planted, model: planted, choices: [{ index: 0, delta, finish_reason: null }] });
    return { headers, events: [...pieces.map((content) => event({ content, reasoning_content: content })), "data: [DONE]\n\n"] };
  }
  const reply = chatReply([`I was given ${planted}. The answer is 4.`]) as { choices: Record<string, unknown>[]; usage: object };
  const choices = reply.choices.map((choice) => ({
    ...choice,
    finish_reason: failures % 2 === 0 ? secrets.key : "stop",
    message: { role: "assistant", content: `I was given ${planted}. The answer is 4.`, reasoning_content: planted },
  }));
  return {
    headers,
    body: { ...reply, model: planted, system_fingerprint: planted, choices, usage: { ...reply.usage, [secrets.key]: planted } },
  };
}

const environment = () => ({
  OPENAI_API_KEY: secrets.key,
  HF_TOKEN: secrets.hub,
  HTTPS_PROXY: `http://ann:${secrets.proxyPassword}@127.0.0.1:9`,
  OPENAI_BASE_URL: undefined,
  MIDCOURSE_CACHE: path.join(folder, "own-cache"),
});
const address = () => server.baseUrl.replace("//", `//ann:${secrets.password}@`);
const serverWords = () => [
  "--base-url",
  address(),
  "--model",
  "m",
  "--retries",
  "0",
  "--extra-body",
  JSON.stringify({ metadata: { api_key: secrets.extra }, top_k: 20 }),
  "--header",
  `x-own: ${secrets.header}`,
];
const evalWords = (out: string) => [
  ...["eval", "--tasks", "gsm8k", "--data", path.join(folder, "questions.jsonl"), "--methods", "vanilla,self-refine(rounds=1)"],
  ...["--out", path.join(folder, out), "--cache", path.join(folder, "cache"), ...serverWords()],
];

/** Every file below the folder, what pages hold packed included. */
function* texts(at: string): Generator<[string, string]> {
  for (const name of readdirSync(at)) {
    const file = path.join(at, name);
    if (statSync(file).isDirectory()) yield* texts(file);
    else {
      const text = readFileSync(file, "latin1");
      yield [file, text];
      for (const [packed] of text.matchAll(/H4sI[\w+/=]{20,}/g))
        yield [`${file} (packed)`, gunzipSync(Buffer.from(packed, "base64")).toString("latin1")];
    }
  }
}

function holdsNone(place: string, text: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    for (const form of forms(secret)) expect(text.includes(form) ? `${place} holds ${name} as ${form}` : "").toBe("");
  }
}

test("no file that eval, report and export write, and no byte they print, holds a key, a password or a token", async () => {
  for (const words of [
    evalWords("run"),
    [...evalWords("run"), "--json"],
    ["report", path.join(folder, "run"), "--out", path.join(folder, "page.html")],
    ["export", path.join(folder, "run"), "--out", path.join(folder, "exports")],
  ]) {
    const { output, errors, code } = await runCommand(words, environment());
    holdsNone(`the output of ${words[0]}`, output);
    holdsNone(`the messages of ${words[0]}`, errors);
    expect(code, errors).toBeLessThan(3);
  }
  const found = [...texts(folder)];
  for (const [file, text] of found) holdsNone(file, text);
  expect(found.some(([file, text]) => file.endsWith("records.jsonl") && text.includes("[secret]"))).toBe(true);
  const results = readFileSync(path.join(folder, "run", "results.json"), "utf8");
  expect(JSON.parse(results).command).toContain("[secret]@127.0.0.1");
  expect(JSON.parse(results).command).toContain('"top_k":20');
}, 120_000);

test("solve shows an answer that streams without the secrets in it, and so does a failure", async () => {
  for (const words of [["--trace"], ["--json"], []]) {
    for (let time = 0; time < 2; time++) {
      const { output, errors } = await runCommand(["solve", "What is 2 plus 2?", ...words, ...serverWords()], environment());
      holdsNone("the output of solve", output);
      holdsNone("the messages of solve", errors);
    }
  }
}, 120_000);

test("a run goes on with another key and another password, and is refused with another setting, without telling either", async () => {
  fails = false;
  expect((await runCommand(evalWords("again"), environment())).code).toBe(0);
  const again = evalWords("again").map((word) => word.replace(secrets.password, "pass-48-other"));
  const other = await runCommand(again, { ...environment(), OPENAI_API_KEY: "sk-another-key-1" });
  expect(other.errors).not.toContain("another configuration");
  const changed = await runCommand(
    evalWords("again").map((word) => word.replace('"top_k":20', '"top_k":21')),
    environment(),
  );
  expect(changed.errors).toContain("another configuration");
  holdsNone("the refusal", changed.errors);
}, 120_000);
