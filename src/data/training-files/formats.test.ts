/** Every format reads back what it wrote, says what it cannot write, and survives rows of any shape; PTR's published sample, counted. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { readRows } from "../files/rows.ts";
import { queriesFromRows } from "../sources/ptr-queries.ts";
import { isDropped } from "./data-card.ts";
import type { Datum } from "./datum.ts";
import { convert, formatNamed, guessFormat, readTrainingFile, trainingFormats, writeRows } from "./formats.ts";
import { ptrConversation, publishedSampleLimits } from "./ptr-layout.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", " ", "\n", "true", "0"),
);
const identity = fc.string({ minLength: 1 });

const conversation: fc.Arbitrary<TrainingConversation> = fc
  .record({
    id: identity,
    system: fc.option(text),
    weight: fc.option(fc.oneof(fc.constantFrom(0, 0.25, 3), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })), {
      freq: 1,
    }),
    turns: fc.array(
      fc.record({ ask: text, answer: text, trainable: fc.boolean(), cut: fc.option(fc.tuple(fc.nat(9), fc.nat(9))) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  })
  .map(({ id, system, weight, turns }) => ({
    id,
    ...(weight === null || weight === 1 ? {} : { weight }),
    messages: [
      ...(system === null ? [] : [{ role: "system" as const, content: system, trainable: false }]),
      ...turns.flatMap(({ ask, answer, trainable, cut }, index) => {
        const isLearned = trainable || index === turns.length - 1;
        const [start, end] = (cut ?? [0, 0]).map((at) => Math.min(at, answer.length)).sort((a, b) => a - b) as [number, number];
        const masked = isLearned && end > start ? { masked: [[start, end] as const] } : {};
        return [
          { role: "user" as const, content: ask, trainable: false },
          { role: "assistant" as const, content: answer, trainable: isLearned, ...masked },
        ];
      }),
    ],
  }));

const messages = fc.array(fc.record({ role: fc.constantFrom("user" as const, "system" as const), content: text }), {
  minLength: 1,
  maxLength: 3,
});

const datum: fc.Arbitrary<Datum> = fc.oneof(
  conversation.map((each): Datum => ({ kind: "conversation", conversation: each })),
  fc.record({ id: identity, prompt: messages, chosen: text, rejected: text }).map((pair): Datum => ({ kind: "pair", pair })),
  fc
    .record({ id: identity, messages, answer: text, source: identity })
    .map((question): Datum => ({ kind: "question", question })),
);

const names = trainingFormats().map(({ name }) => name);

describe("round trips", () => {
  test.each(names)("%s: what is written reads back the same, through JSON", (name) => {
    const format = formatNamed(name);
    let written = 0;
    fc.assert(
      fc.property(datum, (each) => {
        const row = format.write(each);
        if (isDropped(row)) return;
        const stored = JSON.parse(JSON.stringify(row)) as Record<string, unknown>;
        const back = format.read(stored, "other");
        if (name === "ptr" && isDropped(back)) return;
        written++;
        expect(back).toEqual(JSON.parse(JSON.stringify(each)));
      }),
      { numRuns: 1000 },
    );
    if (name !== "ptr") expect(written).toBeGreaterThan(3);
  });

  test("ptr: any refinement sequence", () => {
    const filled = text.filter((each) => each.trim() !== "");
    fc.assert(
      fc.property(filled, fc.array(filled, { minLength: 1, maxLength: 4 }), filled, (question, attempts, answer) => {
        fc.pre(attempts.every((attempt) => attempt.trim() !== answer.trim()));
        const made = ptrConversation({ id: "a", question, attempts, answer });
        const format = formatNamed("ptr");
        const row = format.write({ kind: "conversation", conversation: made }) as Record<string, unknown>;
        expect(format.read(row, "b")).toEqual({ kind: "conversation", conversation: made });
      }),
    );
  });

  test("a row is recognised as of the format that wrote it", () => {
    fc.assert(
      fc.property(datum, fc.constantFrom(...names), (each, name) => {
        const row = formatNamed(name).write(each);
        if (isDropped(row)) return;
        expect(guessFormat("f.jsonl", [{ line: 1, values: row }]).name).toBe(name);
      }),
    );
  });

  test("no row of any shape throws", () => {
    const column = fc.constantFrom(
      "id",
      "messages",
      "prompt",
      "completion",
      "chosen",
      "rejected",
      "conversations",
      "question",
      "output1",
    );
    fc.assert(
      fc.property(fc.dictionary(column, fc.jsonValue() as fc.Arbitrary<unknown>), (values) => {
        for (const format of trainingFormats()) {
          format.looksLike(values);
          const read = format.read(values, "x");
          expect(isDropped(read) || read.kind === format.kind).toBe(true);
        }
      }),
    );
  });
});

describe("masks are never lost in silence", () => {
  const two: TrainingConversation = ptrConversation({ id: "p", question: "q", attempts: ["a"], answer: "b" });
  const masked: TrainingConversation = {
    id: "m",
    messages: [
      { role: "user", content: "q", trainable: false },
      { role: "assistant", content: "wrong right", trainable: true, masked: [[0, 5]] },
    ],
  };

  test("sharegpt and openai", () => {
    expect(formatNamed("conversations").write({ kind: "conversation", conversation: two })).toMatchObject({
      dropped: "not-representable",
    });
    expect(formatNamed("openai").write({ kind: "conversation", conversation: two })).toEqual({
      id: "p",
      messages: [
        { role: "user", content: "q" },
        { role: "assistant", content: "a", weight: 0 },
        { role: "user", content: expect.any(String) },
        { role: "assistant", content: "b" },
      ],
    });
    for (const name of ["openai", "sharegpt", "trl-prompt-completion", "ptr"]) {
      expect(formatNamed(name).write({ kind: "conversation", conversation: masked }), name).toMatchObject({
        dropped: "not-representable",
      });
    }
  });

  test("trl: the completion is the learned answer alone", () => {
    const row = formatNamed("trl-prompt-completion").write({ kind: "conversation", conversation: two }) as {
      completion: unknown;
    };
    expect(row.completion).toEqual([{ role: "assistant", content: "b" }]);
    const all = { ...two, messages: two.messages.map((each) => ({ ...each, trainable: each.role === "assistant" })) };
    expect(formatNamed("trl-prompt-completion").write({ kind: "conversation", conversation: all })).toMatchObject({
      dropped: "not-representable",
    });
  });

  test("a masked beginning that both answers share may go, because it cancels; any other mask may not", () => {
    const pair = { id: "x", prompt: [{ role: "user" as const, content: "q" }], chosen: "ab1", rejected: "ab2" };
    const trl = formatNamed("trl-preference");
    const shared = { chosenMasked: [[0, 2]] as [number, number][], rejectedMasked: [[0, 2]] as [number, number][] };
    expect(trl.write({ kind: "pair", pair: { ...pair, ...shared } })).toMatchObject({ chosen: [{ content: "ab1" }] });
    expect(trl.write({ kind: "pair", pair: { ...pair, chosenMasked: [[1, 3]] } })).toMatchObject({
      dropped: "not-representable",
    });
  });
});

describe("other people's shapes", () => {
  test("trl preference with implicit prompts", () => {
    const trl = formatNamed("trl-preference");
    const ask = { role: "user", content: "q" };
    const row = { chosen: [ask, { role: "assistant", content: "a" }], rejected: [ask, { role: "assistant", content: "b" }] };
    expect(trl.read(row, "1")).toEqual({ kind: "pair", pair: { id: "1", prompt: [ask], chosen: "a", rejected: "b" } });
    expect(trl.read({ chosen: "Q: x\nA: yes", rejected: "Q: x\nA: no" }, "2")).toMatchObject({
      pair: { prompt: [{ content: "Q: x\n" }], chosen: "A: yes", rejected: "A: no" },
    });
    expect(trl.read({ chosen: "a", rejected: "b" }, "3")).toMatchObject({ dropped: "malformed" });
  });

  test("verl's fields", () => {
    const row = {
      data_source: "openai/gsm8k",
      prompt: [{ role: "user", content: "q" }],
      ability: "math",
      reward_model: { style: "rule", ground_truth: "72" },
      extra_info: { split: "train", index: 3 },
    };
    expect(formatNamed("verl").read(row, "f:4")).toEqual({
      kind: "question",
      question: { id: "f:4", messages: row.prompt, answer: "72", source: "openai/gsm8k", ability: "math" },
    });
  });
});

describe("files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "formats-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("convert there and back keeps everything, and what is lost is counted", async () => {
    const rows = ["a", "b", "c"].map((answer, index) => ({ question: `q${index}`, output1: "first", output2: answer }));
    const file = path.join(folder, "ptr.json");
    writeFileSync(file, JSON.stringify([...rows, { question: "", output1: "x", output2: "y" }]));
    const read = await readTrainingFile(file);
    expect(read.format.name).toBe("ptr");
    expect(read.tally).toMatchObject({
      read: 4,
      kept: 3,
      dropped: [{ reason: "question-empty", count: 1, examples: ["ptr.json:4"] }],
    });
    const openai = convert(read.data, formatNamed("openai"));
    writeRows(path.join(folder, "chat.jsonl"), openai.rows);
    const again = await readTrainingFile(path.join(folder, "chat.jsonl"));
    expect(again.format.name).toBe("openai");
    expect(again.data).toEqual(read.data);
    const preference = convert(again.data, formatNamed("trl-preference"));
    expect(preference.rows[0]).toEqual({
      id: "ptr.json:1",
      prompt: [{ role: "user", content: "q0" }],
      chosen: [{ role: "assistant", content: "a" }],
      rejected: [{ role: "assistant", content: "first" }],
    });
    expect(convert(again.data, formatNamed("sharegpt")).tally).toMatchObject({
      kept: 0,
      dropped: [{ reason: "not-representable", count: 3 }],
    });
  });

  test("Parquet comes back as every format wrote it", async () => {
    const file = path.join(folder, "all.parquet");
    // Half a surrogate pair, which JSON writes as an escape, has no place in UTF-8.
    const isText = (row: object) => !/\\ud[89a-f]/.test(JSON.stringify(row));
    let written = 0;
    for (const name of names) {
      const format = formatNamed(name);
      const rows = fc.sample(datum, { numRuns: 200, seed: 5 }).flatMap((each) => {
        const row = format.write(each);
        return !isDropped(row) && isText(row) ? [row] : [];
      });
      if (rows.length === 0) continue;
      written++;
      writeRows(file, rows);
      const direct = rows.map((row, index) => format.read(JSON.parse(JSON.stringify(row)), `all.parquet:${index + 1}`));
      const read = (await readRows(file)).map(({ values, line }) => format.read(values, `all.parquet:${line}`));
      expect(read, name).toEqual(direct);
    }
    expect(written).toBe(names.length - 1); // No sample is PTR's sequence.
  });

  test("verl's fields through Parquet: numbered rows, questions in any script, an empty message", async () => {
    const question = (id: string, content: string, answer: string): Datum => ({
      kind: "question",
      question: {
        id,
        messages: [
          { role: "system", content: "" },
          { role: "user", content },
        ],
        answer,
        source: "own/set",
      },
    });
    const data = [question("a", "2 × 3 = ?", "6"), question("b", "三加五是多少？ 👩‍🚀", "八"), question("c", "\u0000\n", "")];
    const file = path.join(folder, "verl.parquet");
    writeRows(file, convert(data, formatNamed("verl")).rows);
    expect((await readRows(file))[1].values).toEqual({
      data_source: "own/set",
      prompt: [
        { role: "system", content: "" },
        { role: "user", content: "三加五是多少？ 👩‍🚀" },
      ],
      ability: "",
      reward_model: { style: "rule", ground_truth: "八" },
      extra_info: { id: "b", index: 1 },
    });
    const read = await readTrainingFile(file);
    expect(read.format.name).toBe("verl");
    expect(read.data).toEqual(data);
  });

  test("rows of any trouble: byte order mark, Windows line ends, a broken line in the middle, a file cut off, a line of megabytes", async () => {
    const file = path.join(folder, "x.jsonl");
    const line = (content: string, more: object = {}) =>
      JSON.stringify({
        messages: [
          { role: "user", content, trainable: false },
          { role: "assistant", content: "a", trainable: true },
        ],
        ...more,
      });
    writeFileSync(file, `\ufeff${line("q")}\r\n\r\n${line("r", { weight: 2, stars: 5 })}\r\n`);
    const read = await readTrainingFile(file);
    expect(read.data.map((each) => each.kind === "conversation" && [each.conversation.id, each.conversation.weight])).toEqual([
      ["x.jsonl:1", undefined],
      ["x.jsonl:3", 2],
    ]);
    writeFileSync(file, `${line("q")}\n{"messages": [\n${line("r")}\n`);
    await expect(readTrainingFile(file)).rejects.toThrow(/x\.jsonl, line 2/);
    writeFileSync(file, `${line("q")}\n${line("r").slice(0, -9)}`);
    await expect(readTrainingFile(file)).rejects.toThrow(/x\.jsonl, line 2/);
    writeFileSync(file, `${line("q")}\n${line("r").replace(/}$/, ', "weight": NaN}')}\n`);
    await expect(readTrainingFile(file)).rejects.toThrow(/x\.jsonl, line 2/);
    writeFileSync(file, `${line("q").replace(/}$/, ', "weight": 1e999}')}\n${line("r", { weight: -1 })}\n${line("s")}\n`);
    expect((await readTrainingFile(file)).tally).toMatchObject({ kept: 1, dropped: [{ reason: "malformed", count: 2 }] });
    writeFileSync(file, `${line("long ".repeat(2_000_000))}\n`);
    expect((await readTrainingFile(file)).data).toHaveLength(1);
    writeFileSync(file, "");
    for (const options of [{}, { format: "midcourse" }])
      await expect(readTrainingFile(file, options)).rejects.toThrow(/is empty/);
    writeRows(path.join(folder, "not/there/x.jsonl"), [{ a: 1 }]);
    expect(readFileSync(path.join(folder, "not/there/x.jsonl"), "utf8")).toBe('{"a":1}\n');
    expect(() => writeRows(path.join(file, "x.jsonl"), [{ a: 1 }])).toThrow(/is in the way/);
  });

  test("Parquet files are read like any other", async () => {
    const file = path.resolve(import.meta.dirname, "../../../test/parquet/exam-snappy.parquet");
    const rows = await readRows(file);
    expect(rows[0]).toMatchObject({ line: 1, values: { question: expect.any(String) } });
    expect(queriesFromRows(file, rows).queries).toHaveLength(rows.length);
    await expect(readTrainingFile(file)).rejects.toThrow(/no known format/);
    await expect(readRows(path.join(folder, "none.parquet"))).rejects.toThrow(/There is no file/);
  });

  test("a file without one example says why", async () => {
    const file = path.join(folder, "x.jsonl");
    writeFileSync(file, '{"messages": [{"role": "user", "content": "alone"}]}\n');
    await expect(readTrainingFile(file)).rejects.toThrow(/none of the 1 rows.*openai.*no message of it carries loss/);
    writeFileSync(file, '{"text": "plain"}\n');
    await expect(readTrainingFile(file)).rejects.toThrow(/no known format.*text/);
    await expect(readTrainingFile(file, { format: "unheard-of" })).rejects.toThrow(/no format of training data/);
    expect(() => writeRows(path.join(folder, "x.csv"), [])).toThrow(/cannot be written/);
    expect(() => writeRows(path.join(folder, "x.parquet"), [])).toThrow(/hold no row/);
  });
});

const sample = path.resolve(import.meta.dirname, "../../../../shared/data/ptr/thoughts-sample.json");

describe.skipIf(!existsSync(sample))("PTR's published sample", () => {
  test("320 rows, of which the empty ones and the six-character answer are left out and counted", async () => {
    const { data, tally } = await readTrainingFile(sample, { limits: publishedSampleLimits });
    expect(tally.read).toBe(320);
    expect(data).toHaveLength(317);
    expect(tally.dropped.map(({ reason, count, examples }) => [reason, count, examples])).toEqual([
      ["question-empty", 1, ["thoughts-sample.json:72"]],
      ["attempt-empty", 1, ["thoughts-sample.json:113"]],
      ["answer-too-short", 1, ['thoughts-sample.json:304: "Given."']],
    ]);
    const back = convert(data, formatNamed("ptr"));
    const original = JSON.parse(readFileSync(sample, "utf8")) as Record<string, string>[];
    expect(back.rows).toHaveLength(317);
    expect(back.rows[0]).toEqual({ id: "thoughts-sample.json:1", ...original[0] });
  });

  test("without a limit the short answer stays", async () => {
    expect((await readTrainingFile(sample)).data).toHaveLength(318);
  });
});

if (!existsSync(sample)) test.skip(`PTR's published sample is not at ${sample}`, () => {});
