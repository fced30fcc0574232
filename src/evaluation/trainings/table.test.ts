import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { answerRecord } from "../../../test/support/records.ts";
import { cell, domains, everywhere, input, overall, pool, row, three, two } from "../../../test/support/training-table.ts";
import { slimRecord } from "../records/slim-record.ts";
import { summarise } from "../summary/summary.ts";
import type { TableCell } from "./input.ts";
import { trainingTableMarkdown, trainingTableSection } from "./render.ts";
import { figuresOf, trainingTable } from "./table.ts";
import { tablesOf } from "./words.ts";

describe("the figures", () => {
  test("are means over seeds, items and domains, with every seed beside them", () => {
    const shares = { sums: [1, 1, 0, 0], programs: [1, 0, 0, 0], choices: [0, 0, 0, 0] };
    const cells = [1, 2].flatMap((seed) =>
      Object.entries(shares).map(([domain, values]) => ({
        row: "pasr",
        seed,
        domain,
        records: values.map((value, index) => answerRecord(`${domain}-${index}`, seed === 1 ? value : 0)),
      })),
    );
    const table = trainingTable(input([row("pasr", true)], cells));
    const figures = Object.fromEntries(table.rows[0].figures.map((own) => [own.scope, own]));
    expect(Object.keys(figures)).toEqual(["sums", "programs", "choices", "mean:held-out", "mean:all"]);
    expect(figures.sums!.accuracy).toBeCloseTo(0.25, 12);
    expect(figures["mean:held-out"].accuracy).toBeCloseTo((0.125 + 0) / 2, 12);
    expect(figures["mean:all"].accuracy).toBeCloseTo((0.25 + 0.125) / 3, 12);
    expect(figures.sums!.perSeed).toEqual([
      { seed: 1, accuracy: 0.5 },
      { seed: 2, accuracy: 0 },
    ]);
    // Nothing right among so few does not mean nothing ever.
    expect(figures.choices!.interval[0]).toBe(0);
    expect(figures.choices!.interval[1]).toBeGreaterThan(0.2);
    expect(figures.sums).toMatchObject({ answers: 8, generated: 20, all: 30 });
  });

  test("reasoning that a server told of in neither way counts as in the rest of the run, for the table as for an evaluation", () => {
    const shown = { inside: 0, beside: 1, untold: 0, untoldTokens: 0, addedTokens: 0 };
    const untold = { inside: 0, beside: 0, untold: 1, untoldTokens: 7, addedTokens: 0 };
    const counts = [shown, shown, untold, untold];
    const cells = ["sums", "programs", "choices"].map((domain) => ({
      row: "base",
      domain,
      records: counts.map((reasoningCount, index) => {
        const record = answerRecord(`${domain}-${index}`, 1);
        return { ...record, usage: { ...record.usage, reasoningCount } };
      }),
    }));
    const table = trainingTable(input([row("base", false)], cells));
    expect(table.rows[0].figures.find(({ scope }) => scope === "sums")).toMatchObject({ generated: 23.5, all: 33.5 });
    const results = summarise({
      ...{ run: "r", model: "m", seed: 1, temperature: 0, samples: 1, tasks: [{ id: "t", items: 12 }] },
      records: cells.flatMap(({ records }) => records.map((record) => slimRecord({ ...record, task: "t" }))),
    });
    expect(results.tasks[0].methods[0].tokensPerAnswer).toBe(23.5);
  });

  test("of identical answers differ by nothing, and say so", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 1000 }), (tenths, noise) => {
        const cells = [
          ...everywhere("base", tenths / 10, undefined, noise),
          ...three.flatMap((seed) => everywhere("pasr", tenths / 10, seed, noise)),
        ];
        const { overBase } = overall(trainingTable(input(two, cells, { draws: 200 })), "pasr");
        expect(overBase!.difference).toBeCloseTo(0, 12);
        expect(overBase!.interval[0]).toBeLessThan(0);
        expect(overBase!.interval[1]).toBeGreaterThan(0);
        expect(overBase!.pValue).toBe(1);
      }),
      { numRuns: 15 },
    );
  });

  test("do not depend on the order of cells or records", () => {
    const rows = [...two, row("star", true)];
    const cells = [
      ...everywhere("base", 0.3),
      ...three.flatMap((seed) => [...everywhere("pasr", 0.6, seed), ...everywhere("star", 0.5, seed, seed + 7)]),
    ];
    const pools = domains.map(({ id }) => pool(id, 0.3));
    const once = trainingTable(input(rows, cells, { pool: pools, draws: 300 }));
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const shuffled = random.shuffle(cells).map((own) => ({ ...own, records: random.shuffle([...own.records]) }));
        const again = trainingTable(input(rows, shuffled, { pool: random.shuffle(pools), draws: 300 }));
        expect(again).toEqual(once);
      }),
      { numRuns: 5 },
    );
  });

  test("give the same mean and nearly the same interval whichever seed is called which", () => {
    const names = [
      [1, 2, 3],
      [3, 1, 2],
    ];
    const [first, second] = names.map((seeds) =>
      overall(
        trainingTable(
          input(
            [row("pasr", true)],
            three.flatMap((noise, index) => everywhere("pasr", 0.2 * noise, seeds[index], noise)),
          ),
        ),
        "pasr",
      ),
    );
    expect(second!.accuracy).toBeCloseTo(first!.accuracy, 12);
    for (const side of [0, 1] as const) expect(second!.interval[side]).toBeCloseTo(first!.interval[side], 1);
  });

  test("put an obviously better row clear above, and the other way round", () => {
    const cells = [...everywhere("base", 0.2), ...three.flatMap((seed) => everywhere("pasr", 0.9, seed))];
    const table = trainingTable(input(two, cells));
    const better = overall(table, "pasr").overBase!;
    expect(better.interval[0]).toBeGreaterThan(0.4);
    expect(better.pHolm).toBeLessThan(0.001);
    expect(better.test).toBe("bootstrap");
    expect(overall(table, "base").subjectGain!.difference).toBeCloseTo(better.difference, 12);
    expect(overall(table, "base").overBase).toBeUndefined();
    expect(overall(table, "pasr").subjectGain).toBeUndefined();
  });

  test("have wider intervals where seeds differ, and those of the items alone where they do not", () => {
    const own = (cells: TableCell[]) => {
      const [low, high] = overall(trainingTable(input([row("pasr", true)], cells)), "pasr").interval;
      return high - low;
    };
    const one = own(everywhere("pasr", 0.5, 1, 5));
    const alike = own(three.flatMap((seed) => everywhere("pasr", 0.5, seed, 5)));
    const apart = own(three.flatMap((seed) => everywhere("pasr", 0.2 * seed, seed, 5)));
    expect(alike).toBeCloseTo(one, 10);
    expect(apart).toBeGreaterThan(1.5 * one);
  });

  test("of few items are never certain, and single runs are tested by the house's tests", () => {
    const answers = (value: number) => ["a", "b", "c"].map((item) => answerRecord(item, value));
    const cells = (seeds: number[]) => [
      { row: "base", domain: "sums", records: answers(0) },
      ...seeds.map((seed) => ({ row: "pasr", seed, domain: "sums", records: answers(1) })),
    ];
    const gain = (seeds: number[]) =>
      trainingTable(input(two, cells(seeds), { domains: [domains[0]] })).rows[1].figures[0].overBase!;
    expect(gain([1])).toMatchObject({ difference: 1, test: "mcnemar", pValue: expect.closeTo(0.25, 9) });
    expect(gain([1, 2]).pValue).toBeGreaterThan(0.2);
    expect(gain([1, 2]).interval[0]).toBeLessThan(0.5);
  });

  test("of few seeds are as wide as their variance asks for, not as the bootstrap of three would have it", () => {
    const cells = three.map((seed) => cell("pasr", "sums", 0.1 + 0.2 * seed, seed, seed, 1000));
    const [low, high] = trainingTable(input([row("pasr", true)], cells, { domains: [domains[0]] })).rows[0].figures[0].interval;
    // Means near 0.3, 0.5 and 0.7: the lowest draw takes the first thrice, stretched by √1.5 to 0.255; unstretched it would be 0.3.
    expect(low).toBeGreaterThan(0.2);
    expect(low).toBeLessThan(0.27);
    expect(high).toBeGreaterThan(0.73);
  });

  test("cover the truth about as often as they say, over items and seeds", () => {
    // Each seed has its own true share around 0.5; intervals over 8 seeds should hold 0.5 nearly always, those over items alone would not.
    let held = 0;
    const runs = 40;
    for (let run = 0; run < runs; run++) {
      const random = new Random(deriveSeed(5, run));
      const seeds = Array.from({ length: 8 }, (_, index) => index + 1);
      const cells = seeds.map((seed) => {
        const share = 0.5 + 0.15 * Math.max(-3, Math.min(3, random.normal()));
        return cell("pasr", "sums", share, seed, deriveSeed(run, seed), 60);
      });
      const [low, high] = trainingTable(input([row("pasr", true)], cells, { domains: [domains[0]], seed: run, draws: 400 }))
        .rows[0].figures[0].interval;
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held / runs).toBeGreaterThan(0.82);
  });

  test("count failed answers as wrong, and an answer that was tried again as the later one", () => {
    const records = [
      answerRecord("a", 1, { error: "stopped" }),
      answerRecord("b", 0, { error: "stopped" }),
      answerRecord("b", 1),
      answerRecord("c", Number.NaN),
      answerRecord("d", 1),
    ];
    const table = trainingTable(
      input([row("base", false)], [{ row: "base", domain: "sums", records }], { domains: [domains[0]] }),
    );
    expect(table.rows[0].figures[0]).toMatchObject({ accuracy: 0.5, answers: 4, failures: 2 });
    expect(tablesOf(table)[0].rows[0].at(-1)!.small).toBe("2 of 4 answers failed");
  });

  test("leave tokens out where they are unknown", () => {
    const usage = { calls: 1, inputTokens: undefined, outputTokens: undefined, milliseconds: 1 };
    const records = ["a", "b"].map((item) => answerRecord(item, 1, { usage }));
    const table = trainingTable(
      input([row("base", false)], [{ row: "base", domain: "sums", records }], { domains: [domains[0]] }),
    );
    expect(table.rows[0].figures[0]).not.toHaveProperty("generated");
    expect(tablesOf(table)[0].rows[0].at(-3)!.text).toBe("–");
  });
});

describe("what is missing", () => {
  const rows = [...two, row("ptr", true), row("star", true)];
  const cells = [
    ...everywhere("base", 0),
    ...three.flatMap((seed) => everywhere("pasr", 0.5, seed)),
    ...everywhere("star", 0.5, 1),
    cell("star", "sums", 0.5, 2),
    { ...cell("star", "programs", 0.5, 2), records: cell("star", "programs", 0.5, 2).records.slice(0, 7) },
  ];
  const table = trainingTable(input(rows, cells));

  test("is named, is a dash, and is never 0", () => {
    const ptr = table.rows.find(({ id }) => id === "ptr")!;
    expect(ptr.figures).toEqual([]);
    expect(
      tablesOf(table)[0]
        .rows[2].slice(1)
        .map(({ text }) => text),
    ).toEqual(["–", "–", "–", "–", "–", "–", "–", "0 of 3"]);
    // What is truly 0 is printed.
    expect(tablesOf(table)[0].rows[0][1].text).toBe("0.0");
    expect(table.missing.filter(({ row: own }) => own === "ptr")).toHaveLength(9);
    expect(table.missing).toContainEqual({ row: "star", seed: 2, domain: "programs", reason: "7 of 40 answers" });
    expect(trainingTableMarkdown(table, { title: "t" })).toContain("star, seed 2, programs: 7 of 40 answers");
    expect(table.missingPools).toHaveLength(3);
  });

  test("leaves a row the seeds that it has, and says how many", () => {
    const star = table.rows.find(({ id }) => id === "star")!;
    expect(figuresOf(star, "sums")!.perSeed.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(figuresOf(star, "mean:all")!.perSeed.map(({ seed }) => seed)).toEqual([1]);
    expect(tablesOf(table)[0].rows[3].at(-1)!.text).toBe("1 of 3");
    const seedTable = tablesOf(table).find(({ title }) => title === "Seed by seed")!;
    expect(
      seedTable.rows.map(
        (cells_) =>
          cells_
            .at(-1)!
            .text.split(" · ")
            .filter((text) => text === "–").length,
      ),
    ).toEqual([0, 3, 2]);
  });

  test("may be everything", () => {
    const empty = trainingTable(input(rows, []));
    expect(empty.rows.every(({ figures }) => figures.length === 0)).toBe(true);
    expect(trainingTableMarkdown(empty, { title: "t" })).toContain("ptr, sums, programs, choices: no answers");
    expect(trainingTableSection(empty, { id: "t", title: "t" }).body.text).not.toContain("NaN");
    expect(trainingTableMarkdown(trainingTable(input(rows, [], { domains: [] })), { title: "t" })).not.toContain("NaN");
  });

  test("is what was asked for beforehand, too", () => {
    const asked = trainingTable(input(two, [...everywhere("base", 0.5), ...everywhere("pasr", 0.5, 1)], { seeds: [1, 2] }));
    expect(asked.missing.map(({ seed }) => seed)).toEqual([2, 2, 2]);
  });

  test("may not be hidden by cells that contradict each other", () => {
    expect(() => trainingTable(input(two, everywhere("pasr", 0.5)))).toThrow(/trained rows have a seed/);
    expect(() => trainingTable(input(two, [...everywhere("base", 0.5), ...everywhere("base", 0.5)]))).toThrow(/two cells/);
  });

  test("passes over the cells of another table's rows", () => {
    const both = trainingTable(input([two[0]], cells));
    expect(both.rows).toHaveLength(1);
    expect(both.missing).toEqual([]);
  });
});

describe("resampling at equal tokens", () => {
  const tripled = (cells: TableCell[]) =>
    cells.map((own) => ({
      ...own,
      records: own.records.map((each) => ({ ...each, usage: { ...each.usage, outputTokens: 60 } })),
    }));
  const cells = [...everywhere("base", 0.1), ...tripled(three.flatMap((seed) => everywhere("pasr", 0.6, seed)))];
  const table = trainingTable(input(two, cells, { pool: domains.map(({ id }) => pool(id, 0.5)) }));

  test("stands beside each row, at as many samples as its tokens pay for", () => {
    expect(overall(table, "pasr").resampling).toMatchObject({ outside: [] });
    expect(overall(table, "pasr").resampling!.samples).toBeCloseTo(3, 9);
    expect(overall(table, "base").resampling!.samples).toBeCloseTo(1, 9);
    const at = overall(table, "pasr").resampling!;
    expect(at.accuracy).toBeCloseTo(table.curves.find(({ scope }) => scope === "mean:all")!.points[2].accuracy, 9);
    expect(at.difference).toBeCloseTo(overall(table, "pasr").accuracy - at.accuracy, 9);
    expect(at.differenceInterval[0]).toBeLessThan(at.difference);
  });

  test("is the greedy answer where that is better than samples", () => {
    const strong = [...everywhere("base", 0.9), ...cells.filter((own) => own.row === "pasr")];
    const floored = trainingTable(input(two, strong, { pool: domains.map(({ id }) => pool(id, 0.2)) }));
    expect(overall(floored, "pasr").resampling!.accuracy).toBeCloseTo(overall(floored, "base").accuracy, 9);
  });

  test("is not there where samples of some items are missing", () => {
    const short = domains.map(({ id }) => ({ ...pool(id, 0.5), records: pool(id, 0.5).records.slice(id === "sums" ? 1 : 0) }));
    const lacking = trainingTable(input(two, cells, { pool: short }));
    expect(lacking.missingPools).toEqual([{ domain: "sums", reason: "whole samples of 39 of 40 items" }]);
    expect(overall(lacking, "pasr")).not.toHaveProperty("resampling");
    expect(figuresOf(lacking.rows[1], "mean:held-out")).toHaveProperty("resampling");
  });
});
