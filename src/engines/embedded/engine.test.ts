/** The thread around the model: errors keep their codes, a dead thread fails every call, and an idle one lets the process end. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { newConfig } from "./checkpoint/create.ts";
import { EmbeddedEngine } from "./engine.ts";

const rawConfig = newConfig({ vocabularySize: 8, hiddenSize: 8, intermediateSize: 8, layers: 1, heads: 1, maxContextTokens: 16 });

describe("the engine's thread", () => {
  it("keeps family, code and advice of an error", async () => {
    await expect(EmbeddedEngine.open({ folder: "/does/not/exist" })).rejects.toMatchObject({
      family: "user",
      code: "checkpoint-missing",
      advice: expect.any(String),
    });
  });

  it("fails every waiting call, and later ones, when it dies", async () => {
    const engine = await EmbeddedEngine.open({ rawConfig, seed: 1 });
    const sequences = [{ ids: [1, 2], start: 1 }];
    const waiting = [engine.logprobs(sequences), engine.logprobs(sequences)];
    await Promise.all([
      ...waiting.map((call) => expect(call).rejects.toMatchObject({ code: "engine-closed" })),
      engine.terminate(),
    ]);
    await expect(engine.logprobs(sequences)).rejects.toMatchObject({ code: "engine-closed" });
    await engine.close();
  });

  it("leaves the caller's thread free while it works", async () => {
    const engine = await EmbeddedEngine.open({ rawConfig, seed: 1 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await engine.sample([[1]], { n: 400, maxTokens: 15, temperature: 1, stopIds: [], seed: 1 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    await engine.close();
  });

  it("does not keep a process alive that has nothing left to do", async () => {
    const program = `
      import { EmbeddedEngine } from ${JSON.stringify(new URL("./engine.ts", import.meta.url).href)};
      const engine = await EmbeddedEngine.open({ rawConfig: ${JSON.stringify(rawConfig)}, seed: 1 });
      const [scores] = await engine.logprobs([{ ids: [1, 2, 3], start: 1 }]);
      console.log(scores.length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      timeout: 30_000,
    });
    expect(stdout.trim()).toBe("2");
  });
});
