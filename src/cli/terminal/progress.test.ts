import { expect, test } from "vitest";
import { displayWidth } from "#text/table.ts";
import { formatDuration, Progress, progressLine } from "./progress.ts";

function stream(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const fake = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, fake: fake as unknown as NodeJS.WriteStream };
}

test("a line names what is done, how far, the time left and the figures", () => {
  expect(progressLine({ label: "train", done: 5, total: 20, figures: { reward: "1.20" } }, 75).line).toBe(
    `${"train".padEnd(28)} ${"█".repeat(6)}${"░".repeat(18)} 5/20 · 1 min 15 s left · reward 1.20`,
  );
});

test("an empty piece of work is complete, not NaN", () => {
  expect(progressLine({ label: "nothing", done: 0, total: 0 }, undefined).line).toContain("█".repeat(24));
});

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [61, "1 min 01 s"],
  [3725, "1 h 02 min"],
  [Number.POSITIVE_INFINITY, "?"],
])("%s seconds read %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test("elsewhere than on a terminal there are plain lines, seldom, and always the last", () => {
  let now = 1;
  const { written, fake } = stream(false);
  const progress = new Progress(fake, () => now);
  for (let done = 1; done <= 100; done++) {
    now += 500;
    progress.update({ label: "sample", done, total: 100 });
  }
  expect(written.length).toBeLessThan(8);
  expect(written.every((line) => line.endsWith("\n") && !line.includes("\x1b"))).toBe(true);
  expect(written.at(-1)).toContain("100/100");
});

test("on a terminal one line is rewritten, never wider than the window", () => {
  let now = 1;
  const { written, fake } = stream(true);
  const progress = new Progress(fake, () => now);
  for (let done = 1; done <= 3; done++) {
    now += 200;
    progress.update({ label: "sample", done, total: 3, figures: { a: "x".repeat(200) } });
  }
  expect(written.filter((text) => text.startsWith("\r")).length).toBe(3);
  expect(Math.max(...written.map((text) => text.replace("\r\x1b[2K", "").length))).toBeLessThan(80);
  expect(written.at(-1)).toBe("\n");
});

test("a narrow window shows how far it is, and wide letters count twice", () => {
  const { written, fake } = stream(true, 60);
  new Progress(fake, () => 1).update({ label: "Evaluate", done: 123, total: 4567, figures: { ["试验一".repeat(9)]: "60 %" } });
  const line = written[0].replace("\r\x1b[2K", "");
  expect(line).toContain("123/4567");
  expect(displayWidth(line)).toBeLessThan(60);
});

const accuracies = { vanilla: "48 %", "pasr-format": "50 %", "self-refine": "51 %", "self-consistency": "53 %" };

test.each([
  [120, "Evaluate                     █░░░"],
  [80, "Evaluate 123/4567 · 1 h 02 min left · vanilla 48 % · pasr-format 50 %"],
  [60, "Evaluate 123/4567 · 1 h 02 min left · vanilla 48 %"],
  [40, "Evaluate 123/4567 · 1 h 02 min left"],
  [20, "Evaluate 123/4567"],
])("in %i columns words go before the bar, count and time left before accuracies", (columns, beginning) => {
  const figures = columns === 120 ? { vanilla: "48 %" } : accuracies;
  const { line } = progressLine({ label: "Evaluate", done: 123, total: 4567, figures }, 3725, columns - 1);
  expect(line.startsWith(beginning)).toBe(true);
  expect(displayWidth(line)).toBeLessThan(columns);
});

test.each([
  [60, "123/4567 · 1 h 02 min left"],
  [40, "123/4567"],
])("a long name gives way to what %i columns have to show", (columns, shown) => {
  const label = "3/17 a row of the table with a long name, seed 2: answer";
  const { line } = progressLine({ label, done: 123, total: 4567, figures: accuracies }, 3725, columns - 1);
  expect(line).toContain(shown);
  expect(line.startsWith("3/17 a row of")).toBe(true);
  expect(displayWidth(line)).toBeLessThan(columns);
});

test("a bar that had no room does not come back with shorter figures", () => {
  let now = 1;
  const { written, fake } = stream(true);
  const progress = new Progress(fake, () => now);
  for (const figures of [{}, accuracies, {}]) {
    now += 200;
    progress.update({ label: "Evaluate", done: 1, total: 9, figures });
  }
  expect(written.map((text) => text.includes("░"))).toEqual([true, false, false]);
});
