import { describe, expect, test } from "vitest";
import { methodCards } from "#methods/catalogue.ts";
import { listMethods } from "./methods.ts";

async function shown(name: string | undefined, options: { json?: boolean } = {}, width = 130): Promise<string> {
  const written: string[] = [];
  await listMethods(name, options, { write: (text) => written.push(text), width, styled: false });
  return written.join("");
}

describe("midcourse methods", () => {
  test.each([60, 80, 100, 120, 160])(
    "names every method with its paper, what it does and its formula in %i columns",
    async (width) => {
      const text = await shown(undefined, {}, width);
      for (const card of methodCards) {
        expect(text).toContain(card.id);
        if (card.paper?.arxiv) expect(text).toContain(card.paper.arxiv);
      }
      for (const card of methodCards) expect(text.replace(/\s+/g, " ")).toContain(card.calls);
      for (const card of methodCards) expect(text.replace(/\s+/g, " ")).toContain(card.summary);
      // No line of one word, but for a name.
      expect(text.split("\n").filter((line) => /^\s+\S+$/.test(line)).length).toBeLessThan(8);
      const longest = Math.max(...text.split("\n").map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(width);
    },
  );

  test("says beside the names that are typed which titles tables have for them", async () => {
    const text = (await shown(undefined)).replace(/\s+/g, " ");
    expect(text).toContain("These names are typed");
    expect(text).toContain("self-refine-3 is self-refine(rounds=3)");
    expect(text).toContain("pasr-prompt is pasr-format");
  });

  test("as JSON has what the list has", async () => {
    const list = JSON.parse(await shown(undefined, { json: true })) as Record<string, unknown>[];
    expect(list.map(({ id }) => id)).toEqual(methodCards.map(({ id }) => id));
    expect(list.find(({ id }) => id === "self-refine")).toMatchObject({
      paper: { year: 2023, arxiv: "2303.17651" },
      kind: "refinement",
      needs: [],
      usesOracle: false,
      callsByDefault: 8,
      options: { rounds: { default: 3 } },
    });
  });

  test("of one method shows options, defaults and the paper's values", async () => {
    const text = (await shown("self-consistency")).replace(/\s+/g, " ");
    expect(text).toContain("samples answers to sample a whole number from 1 to 1000; default: 8; the paper: 40");
    expect(await shown("self-refine-oracle")).toContain("upper bound");
    expect(JSON.parse(await shown("vanilla", { json: true }))).toMatchObject({ id: "vanilla" });
  });

  test("of an expression shows the method it is of; of an unknown name says what there is", async () => {
    expect(await shown("self-refine(rounds=2)")).toBe(await shown("self-refine"));
    expect(await shown("mine=self-refine:rounds=2")).toBe(await shown("self-refine"));
    await expect(shown("self-refin")).rejects.toThrow("there is no method “self-refin”");
    await expect(shown("")).rejects.toThrow("expected the name of a method");
  });
});
