/** The language of figures: what a number, a share or a p looks like is said in one file. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const home = "src/text/";
const sources = ["src", "bench", "examples", "scripts"]
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  )
  .map((file) => file.split(path.sep).join("/"))
  .filter(
    (file) =>
      /\.(?:ts|js|mjs)$/.test(file) && !file.includes("node_modules/") && !file.endsWith(".test.ts") && !file.startsWith(home),
  );

const figures = "percent|percentSign|signed|points|pointRange|percentRange|formatP|escapeMarkdown|displayWidth|meanKnown";
const defined = new RegExp(`(?:\\bfunction\\s+(${figures})\\s*\\(|\\bconst\\s+(${figures})\\s*=\\s*(?:async\\s*)?\\()`, "g");

/** Helpers of these names that have another meaning, each with its reason. */
const allowed: Record<string, string> = {
  "src/evaluation/statistics/statistics.ts meanKnown": "its home",
  "src/bytes/protobuf.ts signed": "a number of two's complement",
  "src/verifiers/math/numbers.ts signed": "a number with its sign read",
  "src/verifiers/math/real-sets.ts points": "the points of a set of numbers",
};

function secondHands(file: string, text: string): string[] {
  return [...text.matchAll(defined)].map((match) => `${file} ${match[1] ?? match[2]}`).filter((found) => !(found in allowed));
}

describe("one language of figures", () => {
  test("nothing but the room of texts says what a figure looks like", () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap((file) => secondHands(file, readFileSync(path.join(root, file), "utf8")))).toEqual([]);
  });

  test("a second hand would be seen", () => {
    expect(secondHands("src/cli/table.ts", "function percent(share: number): string {")).toEqual(["src/cli/table.ts percent"]);
    expect(secondHands("src/cli/table.ts", "export function signed(value) {")).toEqual(["src/cli/table.ts signed"]);
    expect(secondHands("src/a.ts", "  const points = (value: number) => value.toFixed(1);")).toEqual(["src/a.ts points"]);
    expect(secondHands("src/a.ts", "const formatP = (p) => String(p);")).toEqual(["src/a.ts formatP"]);
    expect(secondHands("src/a.ts", "const points = results.map((result) => result.point);")).toEqual([]);
  });

  test("every exception is still one", () => {
    for (const place of Object.keys(allowed)) {
      const [file = "", name = ""] = place.split(" ");
      expect(readFileSync(path.join(root, file), "utf8")).toContain(`function ${name}(`);
    }
  });
});
