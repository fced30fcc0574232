/** The weight of an example: read everywhere, written where there is a place for it, refused and counted elsewhere. */
import { describe, expect, test } from "vitest";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { mix } from "../filters/mixing.ts";
import type { Datum } from "./datum.ts";
import { convert, formatNamed, trainingFormats } from "./formats.ts";
import { ptrConversation } from "./ptr-layout.ts";

describe("weights of examples", () => {
  const row = (weight: unknown) => ({ id: "a", messages: weighted.messages, weight });
  const weighted: TrainingConversation = ptrConversation({ id: "a", question: "q", attempts: ["a"], answer: "b" });
  const own = formatNamed("midcourse");
  const withWeight = (weight: number): Datum => ({ kind: "conversation", conversation: { ...weighted, weight } });

  test("0 and any finite number above are read and written; anything else is counted as malformed", () => {
    for (const weight of [0, 1, 0.5, 1e-300, 1e300]) {
      expect(own.read(row(weight), "x")).toEqual(withWeight(weight));
      expect(own.write(withWeight(weight))).toEqual({ id: "a", messages: weighted.messages, weight });
    }
    for (const weight of [undefined, null, ""])
      expect(own.read(row(weight), "x")).toEqual({ kind: "conversation", conversation: weighted });
    expect(own.read(row("0.5"), "x")).toEqual(withWeight(0.5));
    for (const weight of [-1, -1e-9, Number.POSITIVE_INFINITY, Number.NaN, "much", " ", "Infinity", true, [1], {}]) {
      expect(own.read(row(weight), "x"), String(weight)).toMatchObject({
        dropped: "malformed",
        detail: expect.stringContaining("weight"),
      });
    }
    for (const weight of [-1, Number.NaN]) expect(own.write(withWeight(weight))).toMatchObject({ dropped: "malformed" });
  });

  test("a column of that name is read in every format of conversations", () => {
    const formats = ["openai", "sharegpt", "trl-prompt-completion", "ptr"];
    for (const name of formats) {
      const said: TrainingConversation =
        name === "ptr" ? weighted : { id: "a", messages: weighted.messages.filter((_, at) => at === 0 || at === 3) };
      const written = formatNamed(name).write({ kind: "conversation", conversation: said }) as Record<string, unknown>;
      expect(formatNamed(name).read({ ...written, weight: 2 }, "x"), name).toMatchObject({ conversation: { weight: 2 } });
      expect(formatNamed(name).read({ ...written, weight: -2 }, "x"), name).toMatchObject({ dropped: "malformed" });
    }
  });

  test("a format that cannot say it refuses the example, leaves out what has weight 0, and goes without where it is told to", () => {
    const data = [withWeight(0), withWeight(1), withWeight(2)];
    for (const { name } of trainingFormats().filter(
      (format) => !["midcourse", "midcourse-pairs", "sharegpt"].includes(format.name),
    )) {
      const strict = convert(data, formatNamed(name));
      expect(
        strict.tally.dropped.map(({ reason, examples }) => [reason, examples]),
        name,
      ).toEqual([
        ["weight-zero", ["a"]],
        ["weighted", [expect.stringMatching(/^a: .* holds no weight 2$/)]],
      ]);
      expect(strict, name).toMatchObject({ rows: [{}], weightsIgnored: 0 });
      const loose = convert(data, formatNamed(name), { ignoreWeights: true });
      expect(loose, name).toMatchObject({ rows: [{}, {}], weightsIgnored: 1, tally: { kept: 2, read: 3 } });
    }
    expect(convert(data, own).rows.map(({ weight }) => weight)).toEqual([0, 1, 2]);
  });

  test("mixing keeps them", () => {
    const sources = [{ name: "a", examples: [withWeight(0.5), withWeight(2)], share: 1 }];
    const mixed = mix(sources, { seed: 1 }).examples;
    expect(
      convert(mixed, own)
        .rows.map(({ weight }) => weight)
        .sort(),
    ).toEqual([0.5, 2]);
  });
});
