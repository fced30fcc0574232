/** The report of a benchmark in a real browser: tasks, figures, traces, the comparison of two answers and of two runs, hostile texts. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { compareRuns } from "#evaluation/report/compare-runs.ts";
import { renderReport } from "#evaluation/report/report.ts";
import type { TaskResult } from "#evaluation/summary/results.ts";
import { writtenOut } from "#text/signs.ts";
import { exampleMethods, hostileTexts } from "../support/example-benchmark.ts";
import { exampleBenchmarkData } from "../support/example-benchmark-data.ts";
import { wholeTasks } from "../support/page-content.ts";
import { describePages, expectFilterCounts, expectFitsDarkTelephone, expectKeyboardWalk, searched, settled } from "./page.ts";

const data = exampleBenchmarkData({ run: "first" });
const [sums, programs] = wholeTasks([data]);
const [vanilla, selfRefine] = sums!.answers;
const right = (answer: { accuracy: number } | null | undefined) => answer?.accuracy === 1;
const counted = (keep: (before: boolean, after: boolean) => boolean) =>
  sums!.items.filter((_, index) => keep(right(vanilla![index]), right(selfRefine![index]))).length;

/** As in a greedy run. */
function withFloor(task: TaskResult): TaskResult {
  return task.task === "sums" && task.pool ? { ...task, pool: { ...task.pool, floor: "plain answer" } } : task;
}

const pages = {
  one: () => renderReport(data),
  floored: () => renderReport({ ...data, results: { ...data.results, tasks: data.results.tasks.map(withFloor) } }),
  two: () => compareRuns([data, exampleBenchmarkData({ run: "second", skill: 0.1 })]).html,
};

describePages("the benchmark report in a browser", pages, (open) => {
  const choose = (page: Page, label: string, option: string) =>
    page.locator("#task-choice").getByLabel(label).selectOption({ label: option });
  const figureLabels = (page: Page) =>
    Promise.all(
      ["cost-figure", "transition-figure", "pass-figure"].map((id) =>
        page.locator(`#${id} [role=img]`).first().getAttribute("aria-label"),
      ),
    );

  test("shows one task at a time, with its figures and its items", async () => {
    const page = await open("one");
    expect(await page.locator(".task-panel:visible").count()).toBe(1);
    await page.getByRole("heading", { name: "Sums of small numbers" }).waitFor();
    const before = await figureLabels(page);
    expect(before[0]).toContain("self-refine: ");
    expect(before[2]).toContain("plain samples: ");
    await page.getByLabel("sampled tokens and prompts").check();
    expect((await figureLabels(page))[0]).not.toBe(before[0]);

    await choose(page, "task", "programs");
    await page.getByRole("heading", { name: "Short programs" }).waitFor();
    expect(await page.locator(".task-panel:visible").count()).toBe(1);
    for (const [index, label] of (await figureLabels(page)).entries()) expect(label).not.toBe(before[index]);
    await page.getByText("cannot be voted on").first().waitFor();
    expect(await page.locator(".position").textContent()).toBe(`Item 1 of ${programs!.items.length}`);
  });

  test("says where the curve of resampling stands for the greedy answer", async () => {
    const page = await open("floored");
    const caption = page.locator("#cost-figure figcaption");
    expect(await caption.textContent()).toContain("Where the greedy plain answer is better");
    await choose(page, "task", "programs");
    expect(await caption.textContent()).not.toContain("greedy");
  });

  test("has a table of methods over tasks that needs no script", async () => {
    const page = await open("one", { javaScriptEnabled: false });
    const rows = await page.locator(".overview-table tbody th").allTextContents();
    expect(rows.map((row) => row.split(" ")[0])).toEqual(exampleMethods);
    expect(rows.find((row) => row.startsWith("oracle-refine"))).toContain("†");
    expect(await page.locator(".task-panel:visible").count()).toBe(2);
    await page.getByText("an upper bound, no method one could use").first().waitFor();
    await page.getByText("tokens unknown: the server gave no usage").first().waitFor();
  });

  test("filters count what the data holds", async () => {
    const page = await open("one");
    await expectFilterCounts(page, {
      all: sums!.items.length,
      wrong: counted((_, after) => !after),
      gained: counted((before, after) => !before && after),
      lost: counted((before, after) => before && !after),
    });
    await page.locator("select[data-side=right]").selectOption({ label: "silent" });
    await page.locator("button[data-filter=errors]").click();
    expect(await page.locator(".answer-list li").count()).toBe(4);
    await page.locator(".card").getByText("503 from http://127.0.0.1:9/v1: overloaded").first().waitFor();
  });

  test("is walked through by keyboard and button, and not while typing", async () => {
    await expectKeyboardWalk(await open("one"), "Item", sums!.items.length, sums!.items[7].id);
  });

  test("shows whole traces: prompts, feedback, verdicts, choices and inner methods", async () => {
    const page = await open("one");
    await page.locator("button[data-filter=gained]").click();
    const card = page.locator(".card").nth(1);
    expect(await card.locator(".event-title strong").allTextContents()).toEqual([
      "Attempt 1",
      "Feedback on attempt 1",
      "Check of attempt 1 by own verdict",
      "Attempt 2",
    ]);
    expect(await card.locator(".event").nth(0).textContent()).toContain("✗ wrong");
    expect(await card.locator(".event").nth(2).textContent()).toContain("not passed");
    await card.getByText("Prompt, 4 messages").click();
    await card.locator(".message .role").nth(3).waitFor();
    expect(await card.locator(".message .role").allTextContents()).toEqual(["system", "user", "assistant", "user"]);
    await page.locator("select[data-side=right]").selectOption({ label: "debate" });
    await page.locator("button[data-filter=all]").click();
    const inner = page.locator(".card").nth(1).locator(".event.inner");
    expect(await inner.count()).toBe(3);
    expect(await inner.nth(1).textContent()).toContain("Inside: deeper, branch 1");
    await page.locator(".chip", { hasText: "best-of-n" }).click();
    await page.locator(".card").nth(1).getByText("best of 4 by score").waitFor();
  });

  test("marks the words in which two answers differ", async () => {
    const page = await open("one");
    await page.locator("button[data-filter=gained]").click();
    const index = sums!.items.findIndex((_, at) => !right(vanilla![at]) && right(selfRefine![at]));
    const [before, after] = [vanilla![index]!, selfRefine![index]!];
    const [left, following] = [page.locator(".card").nth(0), page.locator(".card").nth(1)];
    expect(await left.locator("del").last().textContent()).toBe(before.answer);
    expect(await following.locator("ins").last().textContent()).toBe(after.answer);
    expect(await left.locator(".answer-text").textContent()).toBe(before.text);
    expect(await following.locator(".answer-text").textContent()).toBe(after.text);
    await page.getByLabel("mark differing words").uncheck();
    expect(await page.locator(".card del, .card ins").count()).toBe(0);
  });

  test("shows hostile answers as the text they are", async () => {
    const page = await open("one");
    for (const [index, hostile] of hostileTexts.entries()) {
      await searched(page, `sums-${index}`);
      for (const entry of await page.locator(".answer-list button").all()) {
        await entry.click();
        await settled(page);
        if ((await page.locator(".question .note").textContent())?.includes(`sums-${index},`)) break;
      }
      const shown = await page.locator(".card").nth(0).locator(".answer-text").textContent();
      expect(shown).toContain(writtenOut(hostile));
    }
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator("#item-browser img, #item-browser script").count()).toBe(0);
  });

  test("compares two runs: tables side by side, a switch between them, and items of both", async () => {
    const page = await open("two");
    const table = page.getByLabel("second against first", { exact: true });
    expect(await table.locator("tbody tr").count()).toBe(2 * exampleMethods.length);
    await choose(page, "run", "second");
    await page.getByRole("heading", { name: "second: Sums of small numbers" }).waitFor();
    expect(await page.locator(".task-panel:visible").count()).toBe(1);
    expect(await page.locator(".card h3").allTextContents()).toEqual(["first: vanilla", "second: vanilla"]);
    await page.locator("select[data-side=left]").selectOption({ label: "second: self-refine" });
    await page.locator(".card h3", { hasText: "second: self-refine" }).waitFor();
  });

  test("fits a telephone and follows dark mode", async () => {
    for (const name of Object.keys(pages)) await expectFitsDarkTelephone(open, name);
  });
});
