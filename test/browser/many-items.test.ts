/** A report of 20,000 items, from a run folder that the writer itself made: everything in it can be reached, and little of it is in the document. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { renderReport } from "#evaluation/report/report.ts";
import { readEvaluation, reportData } from "#recipes/benchmark/folder.ts";
import { writeLargeRun } from "../support/large-run.ts";
import { describePages, searched, settled } from "./page.ts";

const count = 20_000;
const folder = path.join(mkdtempSync(path.join(os.tmpdir(), "midcourse-many-")), "run");
await writeLargeRun(folder, { items: count, methods: "vanilla,chain-of-thought" });
const data = reportData(readEvaluation(folder));
afterAll(() => rmSync(path.dirname(folder), { recursive: true, force: true }));

describePages("a report of 20,000 items in a browser", { many: () => renderReport(data) }, (open) => {
  test("lists all, filters count all, and only the rows in sight are in the document", async () => {
    const page = await open("many");
    expect(await page.locator(".position").textContent()).toBe("Item 1 of 20,000");
    expect(await page.locator("#item-browser > .note").first().textContent()).toBe("All 20,000 items.");
    const wrong = data.records.filter(({ method, accuracy }) => method === "chain-of-thought" && accuracy < 1).length;
    expect(await page.locator("button[data-filter=wrong]").textContent()).toBe(
      `right one wrong (${wrong.toLocaleString("en-GB")})`,
    );
    const size = () => page.evaluate<number>("document.querySelectorAll('*').length");
    const before = await size();
    expect(before).toBeLessThan(3000);
    const box = page.locator(".answer-list");
    for (const share of [0.25, 0.5, 0.999]) {
      await box.evaluate((list, to) => list.scrollTo(0, to * list.scrollHeight), share);
      await expect
        .poll(() => page.locator(".answer-list li").first().getAttribute("aria-posinset").then(Number))
        .toBeGreaterThan(share * count - 100);
      expect(await page.locator(".answer-list li").count()).toBeLessThan(80);
    }
    expect(await size()).toBeLessThan(before + 200);
  });

  test("the last item is reached by key and by address, with its traces", async () => {
    const page = await open("many");
    await page.locator(".answer-list button[data-current]").focus();
    await page.keyboard.press("End");
    await settled(page);
    expect(await page.locator(".position").textContent()).toBe("Item 20,000 of 20,000");
    await page.locator(".question").getByText("item-19999", { exact: true }).waitFor();
    expect(await page.locator(".card").first().textContent()).toContain("So there are 19999 and");
    const other = await open("many");
    await other.goto(page.url().replace("item-19999", "item-12345"));
    await other.locator(".question").getByText("item-12345", { exact: true }).waitFor();
    expect(await other.locator(".position").textContent()).toBe("Item 12,346 of 20,000");
  });

  test("a search finds one item among all and can be stopped", async () => {
    const page = await open("many");
    await searched(page, "there are 17171 and");
    expect(await page.locator(".position").textContent()).toBe("Item 1 of 1");
    await page.locator(".question").getByText("item-17171", { exact: true }).waitFor();
    await page.getByLabel("Search", { exact: true }).fill("there are 19999 and");
    await page.getByRole("button", { name: "stop the search" }).click();
    await page.locator(".search-progress", { hasText: /Stopped after [\d,]+ of 20,000 items/ }).waitFor();
    expect(await page.locator(".position").textContent()).toBe("No item matches.");
  });

  test("an address with a search opens at its item, and a reader who chooses meanwhile keeps the choice", async () => {
    const page = await open("many");
    await page.goto(`${page.url()}#search=pens&item=item-15000`);
    await page.locator(".search-progress", { hasText: "Searched all 20,000 items: 20,000 found." }).waitFor();
    await settled(page);
    expect(await page.locator(".position").textContent()).toBe("Item 15,001 of 20,000");
    await page.goto(page.url().replace("15000", "19999"));
    await page.locator(".answer-list button").nth(3).click();
    // Which one that is depends on how far the search has come.
    const chosen = itemIn(page.url());
    expect(chosen).not.toBe("item-19999");
    await page.locator(".search-progress", { hasText: "Searched all 20,000 items: 20,000 found." }).waitFor();
    await settled(page);
    expect(itemIn(page.url())).toBe(chosen);
    await page.locator(".question").getByText(String(chosen), { exact: true }).waitFor();
  });
});

function itemIn(address: string): string | null {
  return new URLSearchParams(new URL(address).hash.slice(1)).get("item");
}
