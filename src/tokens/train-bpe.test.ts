import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Random } from "#kernel/seed.ts";
import { byteCharacters, bytesOfEntry, entryOfBytes } from "./byte-alphabet.ts";
import { Tokenizer } from "./tokenizer.ts";
import { learnMerges, type TrainTokenizerOptions, trainTokenizer } from "./train-bpe.ts";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function train(options: Omit<TrainTokenizerOptions, "folder">) {
  const folder = await mkdtemp(join(tmpdir(), "train-bpe-"));
  folders.push(folder);
  const trained = await trainTokenizer({ ...options, folder });
  const json = await readFile(join(folder, "tokenizer.json"), "utf8");
  return { trained, json, tokenizer: await Tokenizer.load(folder) };
}

const texts = Array.from(
  { length: 400 },
  (_, index) => `The sum of ${index} and ${index * 7} (in tens) is ${index * 8}.\n\n<think>the same again</think>`,
);

/** Byte-pair learning without any bookkeeping: count everything anew before each merge. */
function learnSlowly(counts: ReadonlyMap<string, number>, wanted: number): [string, string][] {
  const order = new Map(byteCharacters.map((character, byte) => [character, byte]));
  let words = [...counts].map(([text, count]) => ({ parts: [...entryOfBytes(new TextEncoder().encode(text))], count }));
  const merges: [string, string][] = [];
  for (let made = 0; made < wanted; ) {
    const pairs = new Map<string, { pair: [string, string]; count: number }>();
    for (const { parts, count } of words) {
      for (let at = 1; at < parts.length; at++) {
        const pair: [string, string] = [parts[at - 1], parts[at]];
        const entry = pairs.get(pair.join(" ")) ?? { pair, count: 0 };
        entry.count += count;
        pairs.set(pair.join(" "), entry);
      }
    }
    const rank = ({ pair }: { pair: [string, string] }) => pair.map((part) => order.get(part) as number);
    const [best] = [...pairs.values()].sort(
      (one, other) => other.count - one.count || rank(one)[0] - rank(other)[0] || rank(one)[1] - rank(other)[1],
    );
    if (!best || best.count < 2) break;
    const merged = best.pair.join("");
    if (!order.has(merged)) {
      order.set(merged, order.size);
      made += 1;
    }
    merges.push(best.pair);
    words = words.map(({ parts, count }) => {
      const next: string[] = [];
      for (let at = 0; at < parts.length; at++) {
        if (parts[at] === best.pair[0] && parts[at + 1] === best.pair[1]) {
          next.push(merged);
          at += 1;
        } else next.push(parts[at]);
      }
      return { parts: next, count };
    });
  }
  return merges;
}

test("merges are those of the plain algorithm that counts everything anew", () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 9 }),
    fc.constantFrom("aaaa", "é", "éé", "ab ab"),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.integer({ min: 1, max: 9 })), { maxLength: 12 }), fc.nat(12), (counted, wanted) => {
      const counts = new Map(counted);
      expect(learnMerges(counts, wanted).map((pair) => pair.map(entryOfBytes))).toEqual(learnSlowly(counts, wanted));
    }),
    { numRuns: 500 },
  );
});

test("the byte alphabet is one visible character per byte, and back", () => {
  expect(new Set(byteCharacters).size).toBe(256);
  expect(byteCharacters.join("")).not.toMatch(/\s/);
  expect(bytesOfEntry(byteCharacters.join(""))).toEqual(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  expect(bytesOfEntry("a b")).toBeUndefined();
});

test("the same texts in any order give the same file", async () => {
  const one = await train({ texts, vocabularySize: 290 });
  const other = await train({ texts: new Random(5).shuffle(texts), vocabularySize: 290 });
  expect(other.json).toBe(one.json);
  expect(one.trained.vocabularySize).toBe(290);
  expect(one.tokenizer.vocabularySize).toBe(290);
});

test("a vocabulary holds all bytes, so that any text can be written, and words that were frequent", async () => {
  const { tokenizer } = await train({ texts, vocabularySize: 340 });
  for (const character of ["\0", "é", "漢", "😀", "\u{10ffff}"])
    expect(tokenizer.decode(tokenizer.encode(character))).toBe(character);
  expect(tokenizer.tokenPieces(tokenizer.encode("The sum of"))).toEqual(["The", " sum", " of"]);
  expect(tokenizer.encode("The").length).toBe(1);
});

test("every digit is a token by itself, whatever stands around it", async () => {
  const { tokenizer } = await train({ texts, vocabularySize: 400 });
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789 ().\nsum") }), (text) => {
      for (const piece of tokenizer.tokenPieces(tokenizer.encode(text))) {
        if (/\d/.test(piece)) expect(piece).toHaveLength(1);
      }
    }),
  );
});

test("tags and added tokens are single tokens and ordinary text; line breaks are never joined with words", async () => {
  const { tokenizer } = await train({ texts, vocabularySize: 400, addedTokens: ["####", "<think>"] });
  for (const tag of ["<think>", "</think>", "<refine>", "</refine>", "<answer>", "</answer>", "####"]) {
    const ids = tokenizer.encode(`a${tag}b`);
    expect(ids).toHaveLength(3);
    expect(tokenizer.decode(ids)).toBe(`a${tag}b`);
  }
  for (const piece of tokenizer.tokenPieces(tokenizer.encode("The sum.\nis (in\n\n tens)\n"))) {
    if (piece.includes("\n")) expect(piece.trim()).toBe("");
  }
});

test("fewer entries than wanted come out when nothing repeats", async () => {
  const { trained } = await train({ texts: ["abc"], vocabularySize: 300 });
  expect(trained).toEqual({ vocabularySize: 267, merges: 0 });
});

test("impossible wishes are refused", async () => {
  await expect(train({ texts, vocabularySize: 266 })).rejects.toMatchObject({
    code: "vocabulary-too-small",
    advice: "Ask for 267 or more.",
  });
  await expect(train({ texts, vocabularySize: 300.5 })).rejects.toMatchObject({ code: "vocabulary-too-small" });
  await expect(train({ texts, vocabularySize: 300, addedTokens: ["é"] })).rejects.toMatchObject({
    code: "added-token-too-short",
  });
});
