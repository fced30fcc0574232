/** A server that is slow to say what it is: the command says within a second what it waits for, heeds the limits and ends at once when stopped. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { launch } from "../../../test/support/command.ts";
import { waitingLine } from "./waiting.ts";

let folder: string;
let server: http.Server;
let address: string;
let asked: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-waiting-"));
  asked = [];
  // Takes every request and answers none.
  server = http.createServer((request) => void asked.push(request.url ?? ""));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function queries(): string {
  const file = path.join(folder, "queries.jsonl");
  writeFileSync(file, '{"question":"How much is 2 + 2?"}\n');
  return file;
}

/** Commands that ask a server before their first answer. */
const commands: [string, () => string[]][] = [
  [
    "eval",
    () => ["eval", "--tasks", "gsm8k", "--out", path.join(folder, "run"), "--json", "--model", "m", "--base-url", address],
  ],
  [
    "data ptr",
    () => [
      "data",
      "ptr",
      "--queries",
      queries(),
      "--weak",
      "m",
      "--strong",
      "m",
      "--base-url",
      address,
      "--out",
      path.join(folder, "ptr"),
    ],
  ],
  ["solve", () => ["solve", "--json", "--model", "m", "--base-url", address, "How much is 2 + 2?"]],
];

describe("on a terminal", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function played(isTTY: boolean) {
    const written: string[] = [];
    const stream = { isTTY, columns: 60, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    return { written, show: waitingLine(stream) };
  }

  test("what is waited for stands there within a second, is kept up to date and leaves no trace", () => {
    const { written, show } = played(true);
    show("Asking http://127.0.0.1:1: which server it is");
    vi.advanceTimersByTime(900);
    expect(written.join("")).toContain("which server it is … 0 s");
    vi.advanceTimersByTime(2000);
    expect(written.at(-1)).toContain("which server it is … 2 s");
    show("Asking http://127.0.0.1:1: test request 1 of 6, how it bounds an answer's tokens");
    expect(written.at(-1)).toMatch(/test request 1 of 6, .* … 3 s$/);
    show(undefined);
    expect(written.at(-1)).toBe("\r\x1b[2K");
    const count = written.length;
    vi.advanceTimersByTime(60_000);
    expect(written).toHaveLength(count);
    for (const line of written) expect(line.length).toBeLessThanOrEqual(59 + "\r\x1b[2K".length);
  });

  test("of a server that answers at once nothing is said, however many questions it is asked", () => {
    const { written, show } = played(true);
    for (const what of ["one", "two", "three"]) {
      show(what);
      vi.advanceTimersByTime(100);
    }
    show(undefined);
    vi.advanceTimersByTime(5000);
    expect(written).toEqual([]);
  });

  test("elsewhere it is a plain line after a second, and another no sooner than ten seconds later", () => {
    const { written, show } = played(false);
    show("one");
    vi.advanceTimersByTime(1000);
    expect(written).toEqual(["one …\n"]);
    show("two");
    vi.advanceTimersByTime(5000);
    expect(written).toEqual(["one …\n"]);
    vi.advanceTimersByTime(6000);
    show("three");
    vi.advanceTimersByTime(1);
    expect(written).toEqual(["one …\n", "three …\n"]);
  });
});

describe.each(commands)("midcourse %s over a server that answers nothing", (_, words) => {
  test("says what it asks on standard error alone, and Ctrl-C ends it at once", async () => {
    const { child, finished } = launch(words(), { OPENAI_API_KEY: undefined });
    let errors = "";
    child.stderr!.on("data", (piece: string) => {
      errors += piece;
    });
    await expect.poll(() => errors, { timeout: 20_000 }).toMatch(/Asking http:\/\/127\.0\.0\.1:\d+: which server it is …/);
    expect(asked).toEqual(["/v1/models"]);
    child.kill("SIGINT");
    expect(await finished).toMatchObject({ code: 130, output: "" });
  });

  test("heeds the limits that are given while it finds out which server it is", async () => {
    const { code, output, errors } = await launch([...words(), "--idle-seconds", "1"], { OPENAI_API_KEY: undefined }).finished;
    expect(code).not.toBe(0);
    expect(output).toBe("");
    expect(errors).toMatch(/sent nothing for 1 s/);
    // The list of models, five endpoints, one test request: none of them twice.
    expect(asked.filter((place) => place === "/v1/chat/completions")).toHaveLength(1);
  });
});
