/** What the `midcourse data` commands share: cards beside files, questions to leave out, the command as it was typed. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { questionKey } from "#data/filters/split.ts";
import { queriesFromRows } from "#data/sources/ptr-queries.ts";
import { type DataCard, renderCard } from "#data/training-files/data-card.ts";
import { trainingRows } from "#data/training-files/training-formats.ts";
import { replaceFile } from "#files/durable.ts";
import { userError } from "#kernel/errors.ts";

/** `train.jsonl` has its card in `train.card.json`. */
export function cardFile(file: string): string {
  return `${file.replace(/\.[^./\\]+$/, "")}.card.json`;
}

export function writeCard(file: string, card: DataCard): string {
  const target = cardFile(file);
  replaceFile(target, `${JSON.stringify(card, null, 2)}\n`);
  return target;
}

export function printCard(card: DataCard, options: { json?: boolean }, files: Record<string, string> = {}): void {
  const places = Object.entries(files).map(([name, file]) => `${name.padEnd(8)} ${file}`);
  process.stdout.write(
    options.json ? `${JSON.stringify(card)}\n` : `${renderCard(card)}${places.length > 0 ? `\n${places.join("\n")}\n` : ""}`,
  );
}

/** Keys of every question in the files. */
export async function questionKeys(files: readonly string[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const file of files) {
    const { queries } = queriesFromRows(file, await trainingRows(file));
    for (const { question } of queries) keys.add(questionKey(question));
  }
  return keys;
}

/** SHA-256 of a file, so that a run is not gone on with after its data changed. */
export async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw userError("data-missing", `${file} cannot be read: ${(cause as Error).message}`, "Check the path.", cause);
  }
  return hash.digest("hex");
}

/** As a shell takes it again. */
export function typedCommand(words: readonly string[] = process.argv.slice(2)): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`));
  return ["midcourse", ...quoted].join(" ");
}
