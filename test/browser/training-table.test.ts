/** The page of a table of trainings in a real browser: it fits, scrolls inside its tables, draws without a script, and shows texts as texts. */
import { expect, test } from "vitest";
import { trainingTableHtml, trainingTableSection } from "#evaluation/trainings/render.ts";
import { trainingTable } from "#evaluation/trainings/table.ts";
import { cell, domains, pool, row } from "../support/training-table.ts";
import { describePages } from "./page.ts";

const hostile = `<img src=x onerror="document.title='taken'"> & "quotes"`;
const rows = [
  row("base", false),
  row("oracle", false, { label: hostile, usesOracle: true }),
  row("pasr", true, { paper: { Paper: 60 } }),
];

function page(): string {
  const cells = domains.flatMap(({ id }) => [
    cell("base", id, 0.4),
    cell("oracle", id, 0.7),
    ...[1, 2, 3].map((seed) => cell("pasr", id, 0.8, seed)),
  ]);
  const pools = domains.map(({ id }) => pool(id, 0.4));
  const table = trainingTable({
    rows,
    domains,
    cells,
    pool: pools,
    costs: [],
    base: "base",
    subject: "pasr",
    seed: 1,
    draws: 200,
  });
  const sections = [trainingTableSection(table, { id: "results", title: "The table", intro: [hostile] })];
  return trainingTableHtml({
    title: "A table",
    headline: hostile,
    facts: [{ label: "seeds", value: "3" }],
    sections,
    data: { table },
  });
}

describePages("the page of a table of trainings in a browser", { table: page }, (open) => {
  test("shows rows, intervals and drawings; the explanation opens at a click", async () => {
    const opened = await open("table");
    const table = opened.getByRole("table").first();
    expect(await table.getByRole("row").count()).toBe(1 + rows.length);
    expect(await table.textContent()).toContain(hostile);
    expect(await opened.title()).toBe("A table · Midcourse");
    expect(await opened.locator("svg").count()).toBeGreaterThan(0);
    for (const drawing of await opened.locator("svg").all()) expect((await drawing.boundingBox())!.width).toBeGreaterThan(100);
    await opened.getByRole("link", { name: "The table" }).click();
    expect(opened.url()).toMatch(/#results$/);
    const explanation = opened.locator("details dl");
    expect(await explanation.isVisible()).toBe(false);
    await opened.locator("summary").click();
    expect(await explanation.isVisible()).toBe(true);
  });

  test("fits a dark telephone: tables scroll inside their own boxes", async () => {
    const opened = await open("table", { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
    expect(await opened.evaluate("document.documentElement.scrollWidth")).toBe(400);
    const box = opened.locator(".scroll").first();
    const [inside, outside] = await box.evaluate((element) => [element.scrollWidth, element.clientWidth] as const);
    expect(inside).toBeGreaterThan(outside!);
  });
});
