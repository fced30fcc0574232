/** One way of counting reasoning for a whole run: the replies that show the server's decide for those that do not. */
import { addCounts, type ReasoningCount } from "#kernel/model.ts";
import { type ReasoningConvention, reasoningConvention, settledUsage, unsettledTokens } from "#kernel/reasoning-count.ts";
import type { SlimAttempt, SlimRecord } from "../records/slim-record.ts";
import type { ReasoningResult } from "./results.ts";

/** What the run's replies show together; undefined where none told of any reasoning. */
export function reasoningOf(records: readonly SlimRecord[]): ReasoningResult | undefined {
  const count = records.reduce<ReasoningCount | undefined>((sum, { usage }) => addCounts(sum, usage.reasoningCount), undefined);
  if (count === undefined) return undefined;
  const { inside, beside, untold, untoldTokens } = count;
  return { convention: reasoningConvention(count), inside, beside, untold, untoldTokens };
}

/** The same records, every call counted alike. */
export function settledRecords(
  records: readonly SlimRecord[],
  convention: ReasoningConvention | undefined,
): readonly SlimRecord[] {
  if (convention === undefined) return records;
  return records.map((record) => {
    const usage = settledUsage(record.usage, convention);
    if (usage === record.usage) return record;
    const attempts = record.attempts?.map((attempt) => settledAttempt(attempt, convention));
    return { ...record, usage, ...(attempts ? { attempts } : {}) };
  });
}

function settledAttempt(attempt: SlimAttempt, convention: ReasoningConvention): SlimAttempt {
  const tokens = unsettledTokens(attempt.spentCount, convention);
  return attempt.spentTokens === undefined || tokens === 0 ? attempt : { ...attempt, spentTokens: attempt.spentTokens + tokens };
}
