import { describe, expect, it } from "vitest";
import { defaultCorpusOptions, worldCorpus } from "./corpus.ts";

function first(count: number, seed: number) {
  const conversations = [];
  for (const conversation of worldCorpus(seed, { ...defaultCorpusOptions, drillExamples: 1000 })) {
    conversations.push(conversation);
    if (conversations.length === count) break;
  }
  return conversations;
}

describe("the base model's corpus", () => {
  const conversations = first(3000, 1);
  const share = (kind: string, from: number, to: number) =>
    conversations.slice(from, to).filter(({ id }) => id.includes(`${kind}`)).length / (to - from);

  it("repeats itself for the same seed only", () => {
    expect(first(50, 1)).toEqual(conversations.slice(0, 50));
    expect(first(50, 2)).not.toEqual(conversations.slice(0, 50));
  });

  it("begins with drills mostly and ends in the mix that was asked for", () => {
    expect(share("drill", 0, 300)).toBeCloseTo(0.64, 1);
    expect(share("drill", 1000, 3000)).toBeCloseTo(0.3, 1);
    expect(share("refine", 1000, 3000) + share("-self-refine", 1000, 3000)).toBeCloseTo(0.7 * (0.45 + 0.12 + 0.12), 1);
    expect(share("-self-refine", 1000, 3000)).toBeCloseTo(0.7 * 0.12, 1);
    expect(share("plain", 1000, 3000)).toBeCloseTo(0.7 * 0.43, 1);
  });

  it("has something to learn in every conversation, and no mask outside its text", () => {
    for (const { messages } of conversations) {
      expect(messages.some((message) => message.trainable)).toBe(true);
      for (const { content, masked = [] } of messages) {
        expect(masked.every(([start, end]) => start < end && end <= content.length)).toBe(true);
      }
    }
  });
});
