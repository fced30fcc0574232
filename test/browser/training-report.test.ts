/** The report of a training in a real browser: it draws, filters, searches, walks, keeps to itself, and shows untrusted answers as text. */
import { expect, test } from "vitest";
import { renderReport } from "#evaluation/report/report.ts";
import { writtenOut } from "#text/signs.ts";
import { wholeTasks } from "../support/page-content.ts";
import { exampleTraining, hostileTexts } from "./example-training.ts";
import { describePages, expectFilterCounts, expectFitsDarkTelephone, expectKeyboardWalk, searched } from "./page.ts";

const data = exampleTraining();
const [shown] = wholeTasks([data]);
const isRight = (accuracy: number | undefined) => accuracy === 1;
const pairs = shown.items.map((_, index) => shown.first.map((set) => shown.answers[set][index]));
const expected = {
  all: pairs.length,
  gained: pairs.filter(([left, right]) => !isRight(left?.accuracy) && isRight(right?.accuracy)).length,
  lost: pairs.filter(([left, right]) => isRight(left?.accuracy) && !isRight(right?.accuracy)).length,
  refined: pairs.filter(([, right]) => right!.refinements > 0).length,
  malformed: pairs.filter(([, right]) => right!.verdict !== "ok").length,
};
const questionOf = (index: number) => shown.items[index].question;

describePages("the report of a training in a browser", { report: () => renderReport(data) }, (open) => {
  test("draws every figure, each with a description, and redraws by the other count of tokens", async () => {
    const page = await open("report");
    const labels = await page
      .locator("svg[role=img], figure [role=img]")
      .evaluateAll((charts) => charts.map((chart) => chart.getAttribute("aria-label")));
    expect(labels.length).toBe(13);
    expect(labels.every((label) => label !== null && label.length > 20)).toBe(true);
    expect(labels.some((label) => label!.includes("pasr:"))).toBe(true);
    await page.getByLabel("sampled tokens and prompts").check();
    const other = await page.locator("#cost-figure [role=img]").getAttribute("aria-label");
    expect(other).toContain("pasr:");
    expect(labels).not.toContain(other);
    // Methods, then the marks of the legend: every method has its name in the drawing.
    for (const { id } of data.results.tasks[0].methods)
      await page.locator("#cost-figure").getByText(id, { exact: true }).first().waitFor();
    await page.getByText("2 more curves").click();
    await page.getByRole("heading", { name: "clipFraction" }).waitFor();
  });

  test("filters count and show what the data holds", async () => {
    await expectFilterCounts(await open("report"), expected);
  });

  test("is walked through by keyboard and button, and not while typing", async () => {
    await expectKeyboardWalk(await open("report"), "Item", expected.all, shown.items[7].id);
  });

  test("colours think, refine and answer apart, and marks the first wrong step", async () => {
    const page = await open("report");
    await page.locator("button[data-filter=refined]").click();
    const colours = await Promise.all(
      ["think", "refine", "answer"].map((kind) =>
        page.evaluate<string>(`getComputedStyle(document.querySelector(".card .span.${kind}")).backgroundColor`),
      ),
    );
    expect(new Set(colours).size).toBe(3);
    for (const colour of colours) expect(colour).not.toMatch(/rgba\(.*, 0\)|transparent/);

    const index = shown.answers[0].findIndex((answer) => answer!.marks?.some((mark) => mark.kind === "wrong"));
    await page.locator("select[data-side=left]").selectOption("0");
    await page.locator("button[data-filter=all]").click();
    await searched(page, questionOf(index));
    const mark = page.locator(".card .mark.wrong").first();
    expect(await mark.isVisible()).toBe(true);
    const answer = shown.answers[0][index]!;
    const { text } = answer;
    const { start, end } = answer.marks!.find(({ kind }) => kind === "wrong")!;
    expect(await mark.textContent()).toBe(`✗ first wrong step${text.slice(start, end)}`);
  });

  test("shows hostile answers as the text they are", async () => {
    const page = await open("report");
    for (const hostile of hostileTexts) {
      const index = shown.answers[shown.first[1]].findIndex((answer) => answer!.text.includes(writtenOut(hostile)));
      await searched(page, questionOf(index));
      const text = await page
        .locator(".card .answer-text")
        .nth(1)
        .evaluate((root) => {
          const copy = root.cloneNode(true) as typeof root;
          for (const badge of copy.querySelectorAll(".badge")) badge.remove();
          return copy.textContent;
        });
      expect(text).toBe(shown.answers[shown.first[1]][index]!.text);
      expect(text).toContain(writtenOut(hostile));
    }
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator(".answer-text img, .answer-text script").count()).toBe(0);
  });

  test("fits a telephone and follows dark mode", async () => {
    await expectFitsDarkTelephone(open, "report");
  });
});
