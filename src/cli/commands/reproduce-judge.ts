/** Asks a judge model of what kind the refinements in the table's answers are. */
import path from "node:path";
import { openModel } from "#models/open-model.ts";
import type { TableOnePlan } from "#recipes/table-one/plan.ts";
import { readTableOne } from "#recipes/table-one/results.ts";
import { testItems } from "#recipes/table-one/table-one.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { judgeRefinements, type RefinementJudgement } from "#verifiers/judges/refinements.ts";

export async function judgeTableOne(
  name: string,
  { out, judged }: { out: string; judged: number },
  plan: TableOnePlan,
  seeds: number,
  signal: AbortSignal,
): Promise<Record<string, RefinementJudgement>> {
  const judge = await openModel({ model: name, cache: path.join(out, "judge-answers"), signal });
  try {
    const items = worldDomains.flatMap((domain) => testItems(plan, domain));
    const judgements: Record<string, RefinementJudgement> = {};
    for (const { row, records } of readTableOne(out, seeds).answers) {
      if (!records.some(({ refinements }) => refinements > 0)) continue;
      judgements[row.id] = await judgeRefinements({ model: judge.model, records, items, sample: judged, seed: 1, signal });
    }
    return judgements;
  } finally {
    await judge.close();
  }
}
