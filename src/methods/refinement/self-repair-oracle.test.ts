import { expect, test } from "vitest";
import type { MethodTools } from "#kernel/trace.ts";
import { keepsItsPromises, play } from "../../../test/methods/promises.ts";
import { selfRepairOracle } from "./self-repair.ts";

const tools: MethodTools = {
  runVisibleTests: async () => ({ status: "ok", passed: true, output: "" }),
  oracle: {
    isRight: async () => true,
    runHiddenTests: async (text) => ({
      status: text.includes("good") ? "ok" : "failed",
      passed: text.includes("good"),
      output: "hidden",
    }),
  },
};

const values = { drafts: 2, repairs: 1, feedback: "joint", temperature: undefined };
const method = selfRepairOracle.card.create(values, "self-repair-oracle");
keepsItsPromises({ method, calls: selfRepairOracle.card.maxCalls(values), worst: (_call, index) => `program ${index}`, tools });

test("asks the hidden tests alone, and its name and trace say so", async () => {
  expect(selfRepairOracle({ drafts: 1, repairs: 1 })).toMatchObject({ id: "self-repair-oracle", usesOracle: true });
  const { events, outcome } = await play(method, ["bad", "good"], { tools });
  expect(outcome.text).toBe("good");
  expect(events.flatMap((event) => (event.type === "check-end" ? [event.by] : []))).toEqual(
    Array(2).fill("the hidden tests (oracle)"),
  );
});

test("without hidden tests it says so before any call", async () => {
  const other = { ...tools, oracle: { isRight: async () => true } };
  await expect(play(method, [], { tools: other })).rejects.toMatchObject({ family: "user", code: "no-hidden-tests" });
});
