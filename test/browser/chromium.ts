/** Where a Chromium is installed; the tests of pages skip without one and say so. */
import { existsSync } from "node:fs";

const places = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

export function findChromium(what: string): string | undefined {
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (!found) console.log(`Skipped: ${what}. No Chromium was found; install one or set CHROMIUM_PATH.`);
  return found;
}
