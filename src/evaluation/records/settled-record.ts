/** A whole record with its calls counted as the whole run counts them. */
import { type ReasoningConvention, settledUsage } from "#kernel/reasoning-count.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import type { EvaluationRecord } from "./evaluation-record.ts";

export function withSettledUsage(record: EvaluationRecord, convention: ReasoningConvention | undefined): EvaluationRecord {
  if (convention === undefined) return record;
  const settled = (event: TraceEvent): TraceEvent => {
    if (event.type === "inner") return { ...event, event: settled(event.event) };
    return "usage" in event ? { ...event, usage: settledUsage(event.usage, convention) } : event;
  };
  return { ...record, usage: settledUsage(record.usage, convention), events: record.events?.map(settled) };
}
