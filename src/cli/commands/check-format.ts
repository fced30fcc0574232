/** `midcourse check-format`: reads JSON lines `{text}` and says of each whether the think/refine/answer format holds, and where. */

import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { parseRefine, type TaggedSpan, type Verdict, verdictReasons } from "#kernel/refine-grammar.ts";
import { percentSign } from "#text/numbers.ts";
import { harmlessJson } from "#text/signs.ts";
import { alignedRows } from "#text/table.ts";
import { longestLine, numberedLines } from "../terminal/input.ts";

export function registerCheckFormat(program: Command): void {
  program
    .command("check-format")
    .description("read JSON lines {text} from standard input and say of each whether it keeps the think/refine/answer format")
    .option("--json", "one JSON record {ok, verdict, spans} for each line")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse check-format --json < answers.jsonl\n  midcourse check-format < answers.jsonl\n",
    )
    .action(async ({ json = false }) => {
      await checkFormat(process.stdin, process.stdout, { json });
    });
}

/** One per input line that is not blank, in order; offsets of spans are UTF-16 units, as JavaScript counts characters. */
export type FormatRecord =
  | { ok: boolean; verdict: Verdict; spans: TaggedSpan[] }
  | { ok: false; verdict: "bad-line"; error: string };

export interface FormatCounts {
  /** Lines that are not blank. */
  total: number;
  /** Lines whose format holds. */
  ok: number;
  /** Lines that hold no text to check. */
  errors: number;
}

/**
 * Checks every line of `input`, which may be split anywhere, as text or as UTF-8 bytes; CRLF, blank lines and a byte-order mark are fine.
 * With `json` writes one record per line as it goes, otherwise a summary at the end. A bad line is a record, never the end.
 */
export async function checkFormat(
  input: AsyncIterable<string | Uint8Array>,
  output: Writable,
  options: { json: boolean },
): Promise<FormatCounts> {
  const tally = new Tally();
  async function* report() {
    for await (const { number, text } of numberedLines(input)) {
      if (text?.trim() === "") continue;
      const record = checkLine(number, text);
      tally.add(record, number);
      if (options.json) yield `${harmlessJson(record)}\n`;
    }
    if (!options.json) yield tally.summary();
  }
  await pipeline(Readable.from(report()), output, { end: false });
  return tally.counts;
}

function checkLine(number: number, text: string | undefined): FormatRecord {
  if (text === undefined) return badLine(number, `longer than ${longestLine} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return badLine(number, `not JSON: ${(cause as Error).message}`);
  }
  const completion = (value as { text?: unknown } | null)?.text;
  if (typeof completion !== "string") return badLine(number, 'no "text" field with a string');
  const { ok, verdict, spans } = parseRefine(completion);
  return { ok, verdict, spans };
}

function badLine(number: number, problem: string): FormatRecord {
  return { ok: false, verdict: "bad-line", error: `line ${number}: ${problem}` };
}

class Tally {
  readonly counts: FormatCounts = { total: 0, ok: 0, errors: 0 };
  readonly #verdicts = new Map<FormatRecord["verdict"], { count: number; firstLine: number; error?: string }>();

  add(record: FormatRecord, line: number): void {
    this.counts.total += 1;
    if (record.ok) this.counts.ok += 1;
    if (record.verdict === "bad-line") this.counts.errors += 1;
    const entry = this.#verdicts.get(record.verdict);
    if (entry) entry.count += 1;
    else this.#verdicts.set(record.verdict, { count: 1, firstLine: line, ...("error" in record ? { error: record.error } : {}) });
  }

  summary(): string {
    const { total, ok } = this.counts;
    if (total === 0) return "No lines to check.\n";
    const rows = [...this.#verdicts].sort(
      ([, first], [, second]) => second.count - first.count || first.firstLine - second.firstLine,
    );
    const table = [["verdict", "lines", "share", "first line", "meaning"]];
    for (const [verdict, { count, firstLine, error }] of rows) {
      const meaning =
        verdict === "bad-line" ? `The line cannot be checked: ${error?.replace(/^line \d+: /, "")}.` : verdictReasons[verdict];
      table.push([verdict, String(count), percentSign(count / total), String(firstLine), meaning]);
    }
    const numeric = (column: number) => column >= 1 && column <= 3;
    const text = alignedRows(table, (column) => (numeric(column) ? "right" : "left"));
    return `${text.join("\n")}\n\nThe format holds in ${ok} of ${total} (${percentSign(ok / total)}).\n`;
  }
}
