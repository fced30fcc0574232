/** The browser of items in a real one: addresses, the search through traces, long answers, signs that steer, readouts of charts. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { compareRuns } from "#evaluation/report/compare-runs.ts";
import type { ReportData } from "#evaluation/report/page-data.ts";
import { renderReport } from "#evaluation/report/report.ts";
import { exampleBenchmarkData } from "../support/example-benchmark-data.ts";
import { wholePage, wholeTasks } from "../support/page-content.ts";
import { describePages, searched, settled } from "./page.ts";

const data = exampleBenchmarkData({ run: "first" });
const [sums] = wholeTasks([data]);
const steering = "\u202e\u2066\u200f\u061c\u200b";
const shownSteering = "‹U+202E›‹U+2066›‹U+200F›‹U+061C›‹U+200B›";
const longAnswer = `${"all work and no play ".repeat(10_000)}the end`;

/** The same run with other texts. */
function changed(change: (record: { item: string; method: string; text: string }) => object, more: Partial<ReportData> = {}) {
  return {
    ...data,
    ...more,
    readTraces: (keys: readonly string[]) => [...data.readTraces!(keys)].map((one) => ({ ...one, ...change(one) })),
  };
}

/** A method's id is in results, records and traces. */
function renamed(from: string, to: string): ReportData {
  const name = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replaceAll(JSON.stringify(from), JSON.stringify(to)));
  return {
    ...data,
    results: name(data.results),
    records: data.records.map(name),
    readTraces: (keys) =>
      [...data.readTraces!(keys.map((key) => key.replaceAll(JSON.stringify(to), JSON.stringify(from))))].map(name),
  };
}

const pages = {
  one: () => renderReport(data),
  two: () => compareRuns([data, exampleBenchmarkData({ run: "second", skill: 0.1 })]).html,
  long: () => renderReport(changed(({ method, text }) => (method === "self-refine" ? { text: longAnswer } : { text }))),
  steered: () => {
    const steered = renamed("self-refine", `self${steering}refine`);
    return renderReport({
      ...steered,
      title: `title ${steering}`,
      readTraces: (keys) =>
        [...steered.readTraces!(keys)].map((one) => ({
          ...one,
          text: `The answer is ${steering}12.\nالجواب هو ١٢ (12).`,
          extracted: `${steering}12`,
        })),
    });
  },
};

const cutShort = () => {
  const page = wholePage(pages.long());
  return page.slice(0, page.lastIndexOf(" data-part=") + 400);
};

describePages("the browser of items in a browser", { ...pages, cutShort }, (open) => {
  const position = (page: Page) => page.locator(".position").textContent();
  const current = async (page: Page) => {
    await settled(page);
    return (await page.locator(".question .note bdi").nth(-2).textContent()) ?? "";
  };

  test("item, methods, filter, order and search have an address that opens the same view again", async () => {
    const page = await open("one");
    expect(new URL(page.url()).hash).toBe("");
    await page.locator("#item-browser select[data-side=right]").selectOption({ label: "best-of-n" });
    await page.locator("button[data-filter=wrong]").click();
    await page.getByLabel("order").selectOption({ label: "most tokens, right one" });
    await page.locator(".answer-list button").nth(2).click();
    await settled(page);
    const address = page.url();
    const [item, where, first] = [
      await current(page),
      await position(page),
      await page.locator(".answer-list button").first().textContent(),
    ];
    const fields = new URLSearchParams(new URL(address).hash.slice(1));
    expect(Object.fromEntries(fields)).toEqual({ task: "sums", right: "best-of-n", filter: "wrong", order: "longest", item });
    expect(await page.getByRole("link", { name: "address of this view" }).getAttribute("href")).toBe(new URL(address).hash);

    const other = await open("one");
    await other.goto(address);
    await settled(other);
    expect([
      await current(other),
      await position(other),
      await other.locator(".answer-list button").first().textContent(),
    ]).toEqual([item, where, first]);
    expect(await other.locator(".card h3").nth(1).textContent()).toContain("best-of-n");
    expect(await other.locator("button[data-filter=wrong]").getAttribute("aria-pressed")).toBe("true");
  });

  test("the browser's own buttons go back and forward through what was shown", async () => {
    const page = await open("one");
    const seen = [await current(page)];
    for (const at of [4, 9]) {
      await page.locator(".answer-list button").nth(at).click();
      seen.push(await current(page));
    }
    await page.locator("button[data-filter=gained]").click();
    const gained = await position(page);
    await page.goBack();
    expect([await current(page), await position(page)]).toEqual([seen[2], `Item 10 of ${sums.items.length}`]);
    await page.goBack();
    expect(await current(page)).toBe(seen[1]);
    await page.goBack();
    expect(await current(page)).toBe(seen[0]);
    for (let step = 0; step < 3; step++) await page.goForward();
    expect(await position(page)).toBe(gained);
    await page.getByRole("link", { name: "Findings" }).click();
    expect(await position(page)).toBe(gained);
  });

  test("a comparison of two runs has an address: run, task, and the method of each side", async () => {
    const page = await open("two");
    await page.locator("select[data-side=left]").selectOption({ label: "first: debate" });
    await page.locator("select[data-side=right]").selectOption({ label: "second: best-of-n" });
    await page.locator("#task-choice").getByLabel("run").selectOption({ label: "second" });
    const other = await open("two");
    await other.goto(page.url());
    await settled(other);
    expect((await other.locator(".card h3").allTextContents()).map((label) => label.split(/: (?=up|best of)/)[0])).toEqual([
      "first: debate",
      "second: best-of-n",
    ]);
    await other.getByRole("heading", { name: "second: Sums of small numbers" }).waitFor();
  });

  test("an address of an item that is not there says so, and markup in an address stays text", async () => {
    const page = await open("one");
    await page.evaluate(
      `location.hash = "item=" + encodeURIComponent("<img src=x onerror='window.broken = true'>") + "&left=<script>&filter=__proto__"`,
    );
    await page
      .getByText("The address names the item <img src=x onerror='window.broken = true'>, which is not among them.")
      .waitFor();
    expect(await position(page)).toBe(`Item 1 of ${sums.items.length}`);
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator("#item-browser img").count()).toBe(0);
  });

  test("the search goes through whole traces: prompts, feedback, verdicts; or through questions and answers alone", async () => {
    const page = await open("one");
    await searched(page, "Check the CARRY in the second");
    const found = await page.locator(".answer-list li").count();
    expect(found).toBeGreaterThan(0);
    await page.locator(".card").getByText("Check the carry in the second").first().waitFor();
    await page.getByLabel("search in").selectOption({ label: "questions and the two answers" });
    await page.locator(".search-progress", { hasText: "0 found" }).waitFor();
    expect(await position(page)).toBe("No item matches.");
    await expect.poll(() => new URL(page.url()).hash).toContain("search=Check+the+CARRY");
    const other = await open("one");
    await other.goto(page.url().replace("in=answers", "in=traces"));
    await expect.poll(() => other.locator(".answer-list li").count()).toBe(found);
  });

  test("an answer of 200,000 characters is shown in part, and whole when that is asked for", async () => {
    const page = await open("long");
    const card = page.locator(".card").nth(1);
    expect((await card.locator(".answer-text").textContent())!.length).toBeLessThan(6000);
    await card.getByRole("button", { name: "show all 210,007 characters" }).first().click();
    expect(await card.locator(".answer-text").textContent()).toBe(longAnswer);
  });

  test("signs that steer are written out in titles, choices, chips, answers, differences and charts, and Arabic still reads from the right", async () => {
    const page = await open("steered");
    expect(await page.title()).toContain(shownSteering);
    expect(await page.locator("select[data-side=right] option").allTextContents()).toContain(`self${shownSteering}refine`);
    expect(await page.locator(".chip").allTextContents()).toContainEqual(expect.stringContaining(`self${shownSteering}refine`));
    expect(await page.locator("#cost-figure [role=img]").getAttribute("aria-label")).toContain(`self${shownSteering}refine`);
    await page.locator("#cost-figure text", { hasText: shownSteering }).first().waitFor();
    expect(await page.locator(".card .answer-text").first().textContent()).toContain(`The answer is ${shownSteering}12.`);
    const whole = await page.evaluate<string>(
      "document.title + document.body.querySelector('header').outerHTML + document.querySelector('main').outerHTML",
    );
    for (const sign of steering) expect(whole.includes(sign)).toBe(false);
    expect(await page.evaluate("getComputedStyle(document.querySelector('.answer-text')).unicodeBidi")).toBe("plaintext");
  });

  test("every chart is read by the arrow keys and by the pointer", async () => {
    const page = await open("one");
    for (const [id, first] of [
      ["cost-figure", "vanilla · "],
      ["transition-figure", "self-refine · stayed right: "],
      ["pass-figure", "plain samples, 1 attempt · "],
    ] as const) {
      const said = page.locator(`#${id} .readout`);
      await page.locator(`#${id} .canvas`).focus();
      await page.keyboard.press("ArrowRight");
      expect(await said.textContent()).toContain(first);
      const before = await said.textContent();
      await page.keyboard.press("ArrowRight");
      expect(await said.textContent()).not.toBe(before);
      expect(await page.locator(`#${id} .ring`).count()).toBe(1);
    }
    await page.keyboard.press("End");
    const last = await page.locator("#pass-figure .readout").textContent();
    await page.locator("#transition-figure .canvas").scrollIntoViewIfNeeded();
    const box = (await page.locator("#transition-figure svg").first().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 30);
    await expect
      .poll(() => page.locator("#transition-figure .readout").textContent())
      .toMatch(/^self-refine · (?:stayed right|wrong → right|right → wrong|stayed wrong): \d/);
    expect(last).toContain("attempts");
  });

  test("rows show two lines and nothing of a third, and arrow keys move through the list", async () => {
    const page = await open("one");
    const heights = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.two-lines')].map((row) => row.getBoundingClientRect().height / parseFloat(getComputedStyle(row).lineHeight))",
    );
    expect(Math.max(...heights)).toBeLessThanOrEqual(2.05);
    await page.locator(".answer-list button[data-current]").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await position(page)).toBe(`Item 3 of ${sums.items.length}`);
    await page.keyboard.press("End");
    expect(await position(page)).toBe(`Item ${sums.items.length} of ${sums.items.length}`);
    expect(await page.evaluate("document.activeElement.hasAttribute('data-current')")).toBe(true);
  });

  test("a browser that cannot unpack, or runs no script, says so in a sentence, and the tables stand", async () => {
    const page = await open("one");
    await page.addInitScript("delete window.DecompressionStream");
    await page.reload();
    await page.getByText("This browser cannot unpack the items and traces of this page").waitFor();
    expect(await page.locator(".overview-table tbody tr").count()).toBeGreaterThan(3);
    const still = await open("one", { javaScriptEnabled: false });
    await still.getByText("All items and their traces stand in this page, packed; to show them it needs JavaScript.").waitFor();
  });

  test("a page that was cut short lists all items, and says what it lacks where its traces or a search are asked for", async () => {
    const page = await open("cutShort");
    await page.getByLabel("task").last().selectOption({ label: "programs" });
    await settled(page);
    await page.locator(".answer-list button").last().click();
    await page.locator(".answer-detail .warning", { hasText: "the file was cut short" }).waitFor();
    await page.getByLabel("Search", { exact: true }).fill("anything");
    await page.locator(".search-progress", { hasText: "the file was cut short" }).waitFor();
  });
});
