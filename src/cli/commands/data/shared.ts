/** What the `midcourse data` commands share: options, and a card as it is printed. */

import { type Command, InvalidArgumentError, Option, type OptionValues } from "commander";
import type { NearDuplicateFilter, NearDuplicateScope } from "#data/filters/near-duplicates.ts";
import type { DataCard } from "#data/training-files/data-card.ts";
import { harmlessJson } from "#text/signs.ts";
import { positiveNumber } from "../../options/option-numbers.ts";

export const formats =
  "midcourse, midcourse-pairs, ptr, trl-prompt-completion, trl-preference, verl, sharegpt (conversations), openai, alpaca";

/** `what` is done with near-duplicates. */
export function withNearDuplicates<Words extends unknown[], Values extends OptionValues>(
  command: Command<Words, Values>,
  what: "leave out" | "count",
) {
  const scopes = ["conversation", "question"] as const satisfies NearDuplicateScope[];
  return command
    .option(
      "--near-duplicates <similarity>",
      `${what} examples whose words are so similar to another's, such as 0.8 (Jaccard similarity of runs of three words)`,
      similarity,
    )
    .addOption(new Option("--near-duplicates-of <part>", "what is compared").choices(scopes).default("conversation"));
}

/** Undefined where they may stay. */
export function nearDuplicateFilter(options: {
  nearDuplicates?: number;
  nearDuplicatesOf: NearDuplicateScope;
}): NearDuplicateFilter | undefined {
  const { nearDuplicates: threshold, nearDuplicatesOf: of } = options;
  return threshold === undefined ? undefined : { threshold, of };
}

function similarity(text: string): number {
  const value = positiveNumber(text);
  if (value > 1) throw new InvalidArgumentError("It must be a number above 0 and at most 1.");
  return value;
}

export async function printCard(card: DataCard, options: { json?: boolean }, files: Record<string, string> = {}): Promise<void> {
  const { renderCard } = await import("#data/training-files/data-card.ts");
  const places = Object.entries(files).map(([name, file]) => `${name.padEnd(8)} ${file}`);
  process.stdout.write(
    options.json ? `${harmlessJson(card)}\n` : `${renderCard(card)}${places.length > 0 ? `\n${places.join("\n")}\n` : ""}`,
  );
}
