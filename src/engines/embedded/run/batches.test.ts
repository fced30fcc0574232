/** Batching: nothing is lost, memory is bounded, and short sequences do not pay for long ones. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../checkpoint/config.ts";
import { newConfig } from "../checkpoint/create.ts";
import { batchByLength } from "./batches.ts";

const model = { vocabularySize: 64, hiddenSize: 32, intermediateSize: 64, layers: 2, heads: 2, maxContextTokens: 512 };
const config = parseConfig(newConfig(model), "config.json");
const length = (value: number) => value;

describe("batches", () => {
  it("hold every item once, within the budget unless alone, with bounded padding", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 200 }), (lengths) => {
        const batches = batchByLength(lengths, length, config);
        expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths].sort((a, b) => a - b));
        let columns = 0;
        for (const batch of batches) {
          const padded = batch.length * Math.max(...batch);
          columns += padded;
          if (batch.length > 1) expect(padded).toBeLessThanOrEqual(1024);
        }
        const tokens = lengths.reduce((sum, value) => sum + value, 0);
        // Batches too small to be worth a split may be padded; they hold little.
        expect(columns).toBeLessThanOrEqual(tokens / 0.75 + 512 * batches.length);
      }),
    );
  });

  it("are small where the vocabulary is large", () => {
    const large = { ...config, vocabularySize: 151_936 };
    for (const batch of batchByLength(new Array(100).fill(50), length, large)) {
      expect(batch.length * 50 * large.vocabularySize).toBeLessThanOrEqual(64 * 1024 * 1024);
    }
  });
});
