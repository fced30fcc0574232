import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { registerEval } from "../commands/eval.ts";
import { allowanceWords, filesByTask, parseBudget, parseNames } from "./eval-options.ts";

describe("caps", () => {
  test("by the names people type", () => {
    expect(parseBudget("tokens=2000, calls=5", "--budget")).toEqual({ tokens: 2000, calls: 5 });
    expect(parseBudget("usd=0.5,seconds=30,output-tokens=100", "--budget")).toEqual({
      dollars: 0.5,
      seconds: 30,
      outputTokens: 100,
    });
  });

  test.each([
    "",
    "tokens",
    "tokens=",
    "tokens=0",
    "tokens=-1",
    "tokens=NaN",
    "tokens=1e999",
    "token=5",
    "calls=1=2",
    "calls=1,,",
  ])("%j is refused with an example", (text) => {
    expect(() => parseBudget(text, "--budget")).toThrow(
      expect.objectContaining({ family: "user", advice: expect.stringContaining("--budget tokens=2000") }),
    );
  });

  test("a cap that is named twice is refused", () => {
    expect(() => parseBudget("calls=1,calls=2", "--budget")).toThrow("twice");
  });

  test("no text breaks it in another way", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseBudget(text, "--budget");
        } catch (error) {
          expect(MidcourseError.isInstance(error)).toBe(true);
        }
      }),
    );
  });
});

describe("files", () => {
  test("belong to the task they name, or to the only one", () => {
    expect(filesByTask(["gsm8k=a.jsonl", "mmlu=b=c.csv"], ["gsm8k", "mmlu"], "--data")).toEqual({
      gsm8k: "a.jsonl",
      mmlu: "b=c.csv",
    });
    expect(filesByTask(["x=1.jsonl"], ["gsm8k"], "--data")).toEqual({ gsm8k: "x=1.jsonl" });
  });

  test("that could be anybody's are refused", () => {
    expect(() => filesByTask(["a.jsonl"], ["gsm8k", "mmlu"], "--data")).toThrow("does not say");
    expect(() => filesByTask(["a", "b"], ["gsm8k"], "--data")).toThrow("two files");
  });
});

test("names are listed once, in order", () => {
  expect(parseNames(" b, a,b,", "--tasks")).toEqual(["b", "a"]);
  expect(() => parseNames(" , ", "--tasks")).toThrow("empty");
});

test("a run that its budget ended says whether that was spent or is not known", () => {
  const known = { calls: 3, inputTokens: 5, outputTokens: 5, dollars: 0.1, milliseconds: 1 };
  const { dollars: _, ...free } = known;
  expect(allowanceWords({ dollars: 1 }, known)).toMatch(/budget is spent/);
  expect(allowanceWords({ dollars: 1 }, free)).toMatch(/dollars is unknown.*--prices/);
  expect(allowanceWords({ tokens: 1 }, { ...known, inputTokens: undefined })).toMatch(/tokens is unknown/);
  expect(allowanceWords({ calls: 1 }, { ...known, inputTokens: undefined })).toMatch(/budget is spent/);
});

test("a pool of one sample is refused, and none is not", async () => {
  const said = (pool: string) => {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    registerEval(program);
    program.commands[0]
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .action(() => {});
    return program.parseAsync(["node", "midcourse", "eval", "--pool", pool]).then(
      () => "taken",
      (error: Error) => error.message,
    );
  };
  expect(await said("1")).toMatch(/0, or 2 or more/);
  expect(await said("0")).toBe("taken");
  expect(await said("2")).toBe("taken");
});
