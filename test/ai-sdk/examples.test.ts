/** The examples run as they are, each in a process of its own. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { chatServer, lastText } from "./chat-server.ts";

const run = promisify(execFile);
const folder = path.resolve(import.meta.dirname, "../../examples/ai-sdk");

it("shipped-model.ts answers offline", async () => {
  const { stdout } = await run(process.execPath, [path.join(folder, "shipped-model.ts")]);
  expect(stdout).toMatch(/Attempt 6\n/);
  expect(stdout).toMatch(/\nAnswer: 646\nTokens: \d+ read, \d+ written\n$/);
});

it("openai-compatible.ts refines over a server, and says what it needs", async () => {
  const server = await chatServer((request) => {
    if (request.body?.model === "missing") return { status: 404 };
    const asked = lastText(request);
    if (asked.startsWith("Review")) return { content: "Count again. 2/10" };
    return { content: asked.startsWith("Write") ? "Four times." : "Three times." };
  });
  const example = path.join(folder, "openai-compatible.ts");
  const env = { PATH: process.env.PATH, OPENAI_BASE_URL: server.baseUrl, MODEL: "test-model", OPENAI_API_KEY: "key" };
  const { stdout, stderr } = await run(process.execPath, [example], { env });
  expect(stdout).toBe("Four times.\n(30 tokens read, 15 written)\n");
  expect(stderr).toContain("Count again. 2/10");
  expect(server.chats()[0]?.headers.authorization).toBe("Bearer key");
  await expect(run(process.execPath, [example], { env: { ...env, MODEL: "missing" } })).rejects.toMatchObject({
    code: 1,
    stderr: "scripted 404\n",
  });
  await server.close();
  await expect(run(process.execPath, [example], { env: { PATH: process.env.PATH } })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Set OPENAI_BASE_URL"),
  });
});
