import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { remoteError, userError } from "#kernel/errors.ts";
import { runCommand } from "../../../test/support/command.ts";
import { type JudgeServer, playJudge } from "../../../test/support/judge-server.ts";
import { asJudgeError } from "./judges.ts";

let root: string;
let server: JudgeServer;
beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), "judges-"));
  server = await playJudge({ grade: () => 1 });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

const key = "sk-loopback-judge-0987654321fedcba";
const environment = { JUDGE_KEY: key, OTHER_KEY: undefined, OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined };
const words = (out: string, variable: string) => [
  ...["eval", "--limit", "2", "--methods", "vanilla", "--pool", "0", "--threads", "1", "--out", path.join(root, out)],
  ...["--grade-by", "judge", "--judge", "judge", "--judge-base-url", server.baseUrl, "--judge-api-key-env", variable],
];

test("eval asks a judge with a key of its own, which stands in no file", async () => {
  const finished = await runCommand(words("own", "JUDGE_KEY"), environment);
  expect(finished.errors).not.toContain("midcourse:");
  expect(finished.code).toBe(0);
  expect(server.shown).toHaveLength(2);
  expect(server.chats().every(({ headers }) => headers.authorization === `Bearer ${key}`)).toBe(true);
  for (const file of ["config.json", "results.json", "records.jsonl"])
    expect(readFileSync(path.join(root, "own", file), "utf8")).not.toContain(key);
}, 60_000);

test("a variable that is not set is told in the words of the judge's options", async () => {
  const finished = await runCommand(words("other", "OTHER_KEY"), environment);
  expect(finished.code).not.toBe(0);
  expect(finished.errors).toMatch(/The judge: OTHER_KEY is not set/);
});

test("what a person has to mend about a judge names its own options; what the server did stays as it is", () => {
  const told = asJudgeError(userError("model-unknown", "404", "Choose with --model; --api-key-env and --base-url name others."));
  expect(told).toMatchObject({
    code: "judge-model-unknown",
    advice: "Choose with --judge; --judge-api-key-env and --judge-base-url name others.",
  });
  expect(asJudgeError(told)).toBe(told);
  const remote = remoteError("server-failed", "500", {});
  expect(asJudgeError(remote)).toBe(remote);
});
