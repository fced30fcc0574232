/** What answers cost on average, and why that may be unknown. */
import type { SlimRecord } from "../records/slim-record.ts";
import { meanKnown } from "../statistics/statistics.ts";
import type { CostKind } from "./results.ts";

/** Of one answer, those left out that failed before anything was sampled; undefined where too many are unknown. */
export function meanCost(records: readonly SlimRecord[], kind: CostKind): number | undefined {
  return meanKnown(records.flatMap((record) => (record.nothingSampled ? [] : [costOf(record, kind)])));
}

/** Why it is unknown: a server that gives usage is not to blame for calls that failed. */
export function unknownCost(records: readonly SlimRecord[]): string {
  const sampled = records.filter((record) => !record.nothingSampled);
  if (sampled.length === 0) return `no answer: all ${records.length} failed before anything was sampled`;
  const unknown = sampled.filter((record) => costOf(record, "all") === undefined);
  const failed = unknown.filter((record) => record.failed).length;
  return failed < unknown.length
    ? "tokens unknown: the server gave no usage"
    : `tokens unknown: ${failed} of ${sampled.length} answers failed on their way, and what the failed calls cost was not told`;
}

function costOf({ usage, seconds }: SlimRecord, kind: CostKind): number | undefined {
  if (kind === "seconds") return seconds;
  if (kind === "dollars") return usage.dollars;
  if (usage.outputTokens === undefined || usage.inputTokens === undefined) return undefined;
  return usage.outputTokens + (kind === "all" ? usage.inputTokens : 0);
}
