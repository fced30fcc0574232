import path from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";

interface Piece {
  text: string;
  changed: boolean;
}

// A script of the page: it has no types here.
const file = pathToFileURL(path.join(import.meta.dirname, "../page/word-diff.js")).href;
const { wordDiff } = (await import(file)) as {
  wordDiff: (left: string, right: string) => { left: Piece[]; right: Piece[] } | undefined;
};
const changed = (pieces: Piece[]) => pieces.filter((piece) => piece.changed).map((piece) => piece.text);
const kept = (pieces: Piece[]) =>
  pieces
    .filter((piece) => !piece.changed)
    .map((piece) => piece.text)
    .join("");

test("marks the words that differ and no others", () => {
  const { left, right } = wordDiff("The sum is 41, I think.", "The sum is 42, I think now.")!;
  expect(changed(left)).toEqual(["41"]);
  expect(changed(right)).toEqual(["42", " now"]);
});

test("equal texts have no difference, and an empty one is all difference", () => {
  expect(wordDiff("a b", "a b")).toEqual({ left: [{ text: "a b", changed: false }], right: [{ text: "a b", changed: false }] });
  expect(changed(wordDiff("", "a b")!.right).join("")).toBe("a b");
  expect(wordDiff("", "")).toEqual({ left: [], right: [] });
});

test("texts are whole, what is unmarked is common, and the script is the shortest", () => {
  const words = fc.array(fc.constantFrom("a", "b", "c", "ä", "𝄞"), { maxLength: 12 });
  fc.assert(
    fc.property(words, words, (first, second) => {
      const [left, right] = [first.join(" "), second.join(" ")];
      const difference = wordDiff(left, right)!;
      expect(difference.left.map(({ text }) => text).join("")).toBe(left);
      expect(difference.right.map(({ text }) => text).join("")).toBe(right);
      expect(kept(difference.left)).toBe(kept(difference.right));
      expect(count(kept(difference.left))).toBe(longestCommon(split(left), split(right)));
    }),
  );
});

test("gives up on texts that have too little in common, soon", () => {
  const [left, right] = ["x", "y"].map((letter) => Array.from({ length: 20_000 }, (_, index) => `${letter}${index}`).join("\n"));
  expect(wordDiff(left!, right!.replaceAll("\n", " "))).toBeUndefined();
});

function split(text: string): string[] {
  return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}

/** Every word and every space between two of them is one character here. */
function count(text: string): number {
  return [...text].length;
}

function longestCommon(first: string[], second: string[]): number {
  let row = new Array<number>(second.length + 1).fill(0);
  for (const word of first) {
    const next = [0];
    for (const [at, other] of second.entries()) next.push(word === other ? row[at] + 1 : Math.max(next[at], row[at + 1]));
    row = next;
  }
  return row.at(-1)!;
}
