import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { readPtrEvaluationConfig } from "./ptr-config.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-ptr-config-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

function read(content: unknown) {
  const file = path.join(place, "config.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return readPtrEvaluationConfig(file);
}

const none = { num_fewshots: 0 };

test("the release's own file is read whole, arc in its two parts, and what is no benchmark here is told", () => {
  const { names, shots, limit, notes } = read({
    arc: { arc_e: none, arc_c: none },
    ...{ commonsenseqa: none, drop: none, gsm8k: none, math: none, gpqa: none, hellaswag: none },
    ...{ humaneval: { limit: null }, icleval: { limit: null }, mmlu: none, rgb: { limit: null }, winogrande: none, xsum: none },
  });
  const known = "arc-easy,arc-challenge,commonsenseqa,drop,gsm8k,math,gpqa,hellaswag,humaneval,mmlu,winogrande,xsum".split(",");
  expect(names).toEqual(known);
  expect([...shots.values()].every((count) => count === 0)).toBe(true);
  expect(limit.size).toBe(0);
  expect(notes).toEqual(["config.json: no benchmarks here, and left out: icleval, rgb."]);
});

test("the file that its run writes names the tasks apart, and its other settings are told to be unread", () => {
  const { names, shots, limit, notes } = read({
    model_path: "m",
    rounds: 3,
    tasks: ["gsm8k", "mmlu"],
    tasks_config: { gsm8k: { num_fewshots: 8, limit: 0 }, mmlu: { num_fewshots: 5, limit: 10 }, drop: none },
  });
  expect(names).toEqual(["gsm8k", "mmlu"]);
  expect([shots.get("gsm8k"), shots.get("mmlu")]).toEqual([8, 5]);
  expect([limit.get("gsm8k"), limit.get("mmlu")]).toEqual([undefined, 10]);
  expect(notes).toEqual([
    "config.json: not read: model_path, rounds; give them as options.",
    "config.json: the limit of mmlu counts the items of all its subjects together here, and of each subject in the release.",
  ]);
});

test("where the release has worked examples of its own and the file says nothing, that is told", () => {
  expect(read({ gsm8k: { limit: 5 }, drop: { limit: 5 } }).notes).toEqual([
    "config.json gives no num_fewshots for gsm8k: none here; the release's own are --shots gsm8k=8.",
  ]);
});

test("numbers beside the subjects of a task are meant for those that have none of their own", () => {
  const { shots, names } = read({ arc: { num_fewshots: 3, arc_e: { num_fewshots: 1 }, arc_c: {} } });
  expect(names).toEqual(["arc-easy", "arc-challenge"]);
  expect(Object.fromEntries(shots)).toEqual({ "arc-easy": 1, "arc-challenge": 3 });
  expect(Object.fromEntries(read({ gpqa: { gpqa: { num_fewshots: 2 } } }).shots)).toEqual({ gpqa: 2 });
});

test.each([
  [{ gsm8k: { num_fewshot: 8 } }, "num_fewshots"],
  [{ gsm9k: none }, "gsm8k"],
  [{ arc: { arc_d: none } }, "arc_e, arc_c"],
  [{ gsm8k: { num_fewshots: "8" } }, "whole number"],
  [{ gsm8k: { limit: -1 } }, "whole number"],
  [{ gsm8k: 8 }, "num_fewshots"],
  [{ arc: [] }, "num_fewshots"],
  [{}, "--tasks"],
  ["[1]", "num_fewshots"],
  ["{", "num_fewshots"],
])("a key, task or value that is not known is refused with what to write: %j", (content, advice) => {
  expect(() => read(content)).toThrow(expect.objectContaining({ family: "user", advice: expect.stringContaining(advice) }));
});

test("a file that is not there is named", () => {
  expect(() => readPtrEvaluationConfig(path.join(place, "none.json"))).toThrow("none.json");
});
