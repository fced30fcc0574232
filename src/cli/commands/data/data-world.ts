/** `midcourse data world`: problems of the small world as a file, for the commands that read questions from files. */
import { DropTally, dataCard } from "#data/training-files/data-card.ts";
import { writeRows } from "#data/training-files/training-formats.ts";
import type { Split } from "#tasks/world/chains.ts";
import { domainItems, type WorldDomain, worldDomains } from "#tasks/world/domains.ts";
import type { WorldItem } from "#tasks/world/items.ts";
import { plainConversation } from "#tasks/world/solutions.ts";
import { printCard, typedCommand, writeCard } from "./data-files.ts";

export interface DataWorldOptions {
  split: Split;
  domain: WorldDomain["id"];
  count: number;
  solutions?: boolean;
  out: string;
  seed: number;
  json?: boolean;
}

export function dataWorld(options: DataWorldOptions): void {
  const { split, domain: id, count, out, seed } = options;
  const domain = worldDomains.find((each) => each.id === id)!;
  const items = domainItems(domain, count, { split, seed });
  writeRows(out, items.map(options.solutions ? solutionOf : rowOf));
  const card = dataCard(
    {
      title: options.solutions ? "Worked solutions of the small world" : "Questions of the small world",
      command: typedCommand(),
      figures: { world: { domain: domain.label, split, seed } },
    },
    talliedAs(items.length),
  );
  printCard(card, options, { data: out, card: writeCard(out, card) });
}

function rowOf({ id, question, answer, group }: WorldItem): Record<string, unknown> {
  return { id, question, answer, group };
}

function solutionOf(item: WorldItem): Record<string, unknown> {
  return { ...plainConversation(item) };
}

function talliedAs(kept: number): DropTally {
  const tally = new DropTally();
  tally.read = kept;
  tally.kept = kept;
  return tally;
}
