/** Problems of the small world as a file with its card, for what reads questions from files. */
import { DropTally, dataCard, writeCard } from "#data/training-files/data-card.ts";
import { writeRows } from "#data/training-files/formats.ts";
import type { WrittenCard } from "#data/training-files/written-file.ts";
import type { Split } from "#tasks/world/chains.ts";
import { domainItems, type WorldDomain, worldDomains } from "#tasks/world/domains.ts";
import { plainConversation } from "#tasks/world/solutions.ts";

export interface WorldFileWanted {
  out: string;
  split: Split;
  domain: WorldDomain["id"];
  count: number;
  seed: number;
  /** Conversations with the plain worked solution in place of question and answer. */
  solutions?: boolean | undefined;
  command?: string | undefined;
}

export function writeWorldFile({ out, split, domain: id, count, seed, solutions, command }: WorldFileWanted): WrittenCard {
  const domain = worldDomains.find((each) => each.id === id)!;
  const items = domainItems(domain, count, { split, seed });
  writeRows(
    out,
    items.map((item) => {
      const { id: own, question, answer, group } = item;
      return solutions ? { ...plainConversation(item) } : { id: own, question, answer, group };
    }),
  );
  const tally = new DropTally();
  for (const _ of items) tally.keep();
  const title = solutions ? "Worked solutions of the small world" : "Questions of the small world";
  const card = dataCard({ title, command, figures: { world: { domain: domain.label, split, seed } } }, tally);
  return { card, cardFile: writeCard(out, card) };
}
