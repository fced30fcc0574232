import { expect, test } from "vitest";
import { displayWidth } from "#text/table.ts";
import { formatDuration, Progress, progressLine } from "./progress.ts";

function stream(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const fake = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, fake: fake as unknown as NodeJS.WriteStream };
}

test("a line names what is done, how far, the time left and the figures", () => {
  expect(progressLine({ label: "train", done: 5, total: 20, figures: { reward: "1.20" } }, 75)).toBe(
    `${"train".padEnd(28)} ${"█".repeat(6)}${"░".repeat(18)} 5/20 · 1 min 15 s left · reward 1.20`,
  );
});

test("an empty piece of work is complete, not NaN", () => {
  expect(progressLine({ label: "nothing", done: 0, total: 0 }, undefined)).toContain("█".repeat(24));
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
