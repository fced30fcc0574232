/** Pages from files in a real Chromium, each held to having loaded nothing else and complained of nothing. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { replaceFile } from "#files/durable.ts";

const places = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

interface OpenedPage {
  page: Page;
  url: string;
  problems: string[];
  requests: string[];
}

/** Opens one of the pages by its name and waits until its script has drawn everything. */
export type Open = (name: string, options?: BrowserContextOptions) => Promise<Page>;

/** A `describe` for pages given by name, as functions that make their markup; without a Chromium it is skipped and says so. */
export function describePages(
  title: string,
  pages: Readonly<Record<string, () => Iterable<string>>>,
  tests: (open: Open) => void,
): void {
  const executablePath = places.find((place) => place !== undefined && existsSync(place));
  if (!executablePath) console.log(`Skipped: ${title}. No Chromium was found; install one or set CHROMIUM_PATH.`);

  describe.skipIf(!executablePath)(title, () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-page-"));
    const fileOf = (name: string) => path.join(folder, `${name}.html`);
    let browser: Browser | undefined;
    let opened: OpenedPage[] = [];

    beforeAll(async () => {
      for (const [name, markup] of Object.entries(pages)) replaceFile(fileOf(name), markup());
      browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    });

    afterAll(async () => {
      await browser?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    afterEach(async () => {
      const done = opened;
      opened = [];
      for (const { page } of done) await page.close();
      for (const { url, problems, requests } of done) {
        expect(problems).toEqual([]);
        expect([...new Set(requests)]).toEqual([url]);
      }
    });

    tests(async (name, options = {}) => {
      const page = await browser!.newPage({ viewport: { width: 1280, height: 900 }, ...options });
      const url = pathToFileURL(fileOf(name)).href;
      const problems: string[] = [];
      const requests: string[] = [];
      opened.push({ page, url, problems, requests });
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(url);
      if (options.javaScriptEnabled !== false) {
        await page.locator("html[data-ready=true]").waitFor();
        if ((await page.locator(".answer-detail").count()) > 0) await settled(page);
      }
      return page;
    });
  });
}

/** Traces are unpacked when they are asked for: waits until those of the item chosen are shown. */
export async function settled(page: Page): Promise<void> {
  await page.locator(".answer-detail[aria-busy=false]").waitFor();
}

/** A search reads every trace: waits until it has. */
export async function searched(page: Page, text: string): Promise<void> {
  await page.getByLabel("Search", { exact: true }).fill(text);
  await page.locator(".search-progress", { hasText: "Searched all" }).waitFor();
  await settled(page);
}

/** Every filter says how many entries it keeps, lists as many, and keeps some. */
export async function expectFilterCounts(page: Page, expected: Readonly<Record<string, number>>): Promise<void> {
  for (const [filter, count] of Object.entries(expected)) {
    const button = page.locator(`button[data-filter=${filter}]`);
    await button.click();
    expect(await button.textContent()).toContain(`(${count})`);
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    expect(await page.locator(".answer-list li").count()).toBe(count);
    expect(count).toBeGreaterThan(0);
  }
}

/** The keys j and k, and the button, move through the list, but not while somebody types; `only` is a search with one hit. */
export async function expectKeyboardWalk(page: Page, noun: string, count: number, only: string): Promise<void> {
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  const position = page.locator(".position");
  expect(await position.textContent()).toBe(`${noun} 2 of ${count}`);
  await page.getByRole("button", { name: "next" }).click();
  expect(await position.textContent()).toBe(`${noun} 3 of ${count}`);
  // A letter that only arrives, and changes no search, shows whether the page also walks.
  for (const field of [page.getByLabel("Search", { exact: true }), page.locator("select[data-side=left]")]) {
    await field.dispatchEvent("keydown", { key: "j", bubbles: true });
    expect(await position.textContent()).toBe(`${noun} 3 of ${count}`);
  }
  await page.getByLabel("Search", { exact: true }).pressSequentially("jjj");
  await position.getByText(`No ${noun.toLowerCase()} matches.`).waitFor();
  await searched(page, only);
  expect(await position.textContent()).toBe(`${noun} 1 of 1`);
}

export async function expectFitsDarkTelephone(open: Open, name: string): Promise<void> {
  const page = await open(name, { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
  expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(20, 23, 28)");
  const [first, second] = await Promise.all([0, 1].map((card) => page.locator(".card").nth(card).boundingBox()));
  expect(second!.y).toBeGreaterThan(first!.y + first!.height - 1);
}
