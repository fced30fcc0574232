/** What can be said of one method on one task by itself: accuracy, cost, how answers ended, and what its verdicts are worth. */
import { mean } from "#kernel/numbers.ts";
import { knownFields } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { clusteredStandardError, type Interval, meanKnown, median, wilsonInterval, z95 } from "../statistics/statistics.ts";
import { isRight } from "../statistics/transitions.ts";
import type { GroupResult, MethodResult, VerificationResult } from "./results.ts";
import { verifierMetrics } from "./verifier-metrics.ts";

export type OwnFigures = Omit<MethodResult, "rightToWrong" | "wrongToRight" | "rightToRight" | "wrongToWrong">;

/** Scores of each item, samples averaged: the question is the unit. */
export function itemMeans(records: readonly SlimRecord[], of: (record: SlimRecord) => number = accuracyOf): Map<string, number> {
  const means = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const record of records) {
    means.set(record.item, (means.get(record.item) ?? 0) + of(record));
    counts.set(record.item, (counts.get(record.item) ?? 0) + 1);
  }
  for (const [item, sum] of means) means.set(item, sum / counts.get(item)!);
  return means;
}

function accuracyOf(record: SlimRecord): number {
  return record.accuracy;
}

export function clusterName({ cluster, item }: Pick<SlimRecord, "cluster" | "item">): string {
  return cluster === undefined ? `item ${item}` : `cluster ${cluster}`;
}

/**
 * Mean over items and its interval: Wilson's for one 0/1 answer to each of unrelated items, else normal with the standard error clustered
 * by what items share; Wilson over the clusters where no item differs from another, because a few equal items are no certainty.
 */
export function meanWithInterval(records: readonly SlimRecord[], of = accuracyOf): { accuracy: number; interval: Interval } {
  const means = itemMeans(records, of);
  const clusters = new Map(records.map((record) => [record.item, clusterName(record)]));
  const values = [...means.values()];
  const names = [...means.keys()].map((item) => clusters.get(item)!);
  const accuracy = mean(values);
  const units = new Set(names).size;
  const error = clusteredStandardError(values, names);
  const binary =
    values.length === records.length && units === values.length && values.every((value) => value === 0 || value === 1);
  if (binary || error < 1e-12) return { accuracy, interval: wilsonInterval(accuracy * units, units) };
  return { accuracy, interval: [Math.max(0, accuracy - z95 * error), Math.min(1, accuracy + z95 * error)] };
}

export function ownFigures(id: string, records: readonly SlimRecord[], passRates: ReadonlyMap<string, number>): OwnFigures {
  const sampled = records.filter((record) => !record.nothingSampled);
  const metered = sampled.filter(({ usage }) => usage.outputTokens !== undefined && usage.inputTokens !== undefined);
  // A few lost answers leave the means standing; where many are unknown, so is the cost.
  const isKnown = metered.length > 0 && metered.length >= sampled.length * 0.9;
  const generated = isKnown ? metered.map(({ usage }) => usage.outputTokens!) : undefined;
  const all = isKnown ? metered.map(({ usage }) => usage.outputTokens! + usage.inputTokens!) : undefined;
  const dollars = meanKnown(sampled.map(({ usage }) => usage.dollars));
  const right = mean(records.map(accuracyOf));
  const perCorrect = (each: number | undefined) =>
    each === undefined || right === 0 ? undefined : (each / right) * (sampled.length / records.length);
  const failed = records.filter((record) => record.failed);
  const strict = records.filter((record) => record.strictAccuracy !== undefined);
  return {
    id,
    oracle: records.some((record) => record.usesOracle === true),
    ...meanWithInterval(records),
    ...(strict.length === records.length
      ? { strictAccuracy: meanWithInterval(strict, (record) => record.strictAccuracy!).accuracy }
      : {}),
    answers: records.length,
    items: new Set(records.map((record) => record.item)).size,
    failures: failed.length,
    ...knownFields({
      failuresRight: someOf(failed, (record) => isRight(record.accuracy)),
      failuresUnsampled: someOf(failed, (record) => record.nothingSampled === true),
    }),
    extractionFailures: mean(records.map((record) => (record.extracted ? 0 : 1))),
    statuses: countOf(records.flatMap((record) => (record.status === undefined ? [] : [record.status]))),
    reasons: countOf(records.map((record) => record.reason)),
    ...measureFigures(records),
    unknownTokens: sampled.length - metered.length,
    ...(generated ? { tokensPerAnswer: mean(generated), medianTokensPerAnswer: median(generated) } : {}),
    ...(all ? { allTokensPerAnswer: mean(all) } : {}),
    callsPerAnswer: mean(records.map((record) => record.usage.calls)),
    ...knownFields({
      tokensPerCorrect: perCorrect(all && mean(all)),
      generatedTokensPerCorrect: perCorrect(generated && mean(generated)),
      dollarsPerAnswer: dollars,
      costPerCorrect: perCorrect(dollars),
    }),
    formatRate: mean(records.map((record) => (record.wellFormed ? 1 : 0))),
    refinementsPerAnswer: mean(records.map((record) => record.refinements)),
    ...attemptFigures(records),
    ...groupFigures(records),
    ...verificationFigures(records, passRates),
  };
}

/** How many; undefined for none. */
function someOf(records: readonly SlimRecord[], is: (record: SlimRecord) => boolean): number | undefined {
  return records.filter(is).length || undefined;
}

/** What graders say beside the accuracy, and what asking them cost. */
function measureFigures(records: readonly SlimRecord[]): Pick<OwnFigures, "measures" | "gradingTokensPerAnswer"> {
  const names = [...new Set(records.flatMap(({ measures }) => Object.keys(measures ?? {})))].sort();
  const asked = records.flatMap(({ gradingTokens }) => gradingTokens ?? []);
  const meanOf = (name: string) => mean(records.flatMap(({ measures }) => measures?.[name] ?? []));
  return {
    ...(names.length > 0 ? { measures: Object.fromEntries(names.map((name) => [name, meanOf(name)])) } : {}),
    ...(asked.length > 0 ? { gradingTokensPerAnswer: mean(asked) } : {}),
  };
}

/** How accuracy moved over a method's attempts. */
function attemptFigures(records: readonly SlimRecord[]) {
  const several = records.filter((record) => record.attempts);
  if (several.length === 0) return {};
  const paths = records.map((record) => record.attempts?.map((attempt) => attempt.accuracy) ?? [record.accuracy]);
  const longest = Math.min(
    16,
    paths.reduce((most, path) => Math.max(most, path.length), 0),
  );
  const oscillates = (path: readonly number[]) => {
    const fates = path.map(isRight);
    const lost = fates.indexOf(false, fates.indexOf(true));
    return fates.includes(true) && lost >= 0 && fates.includes(true, lost);
  };
  const share = (before: boolean, after: boolean) =>
    mean(
      several.map(({ attempts, accuracy }) => (isRight(attempts![0].accuracy) === before && isRight(accuracy) === after ? 1 : 0)),
    );
  return {
    accuracyByAttempt: Array.from({ length: longest }, (_, at) => mean(paths.map((path) => path[Math.min(at, path.length - 1)]))),
    oscillation: mean(paths.map((path) => (oscillates(path) ? 1 : 0))),
    ownRightToWrong: share(true, false),
    ownWrongToRight: share(false, true),
  };
}

/** By difficulty or category, where items have one. */
function groupFigures(records: readonly SlimRecord[]): { byGroup?: GroupResult[] } {
  const groups = Map.groupBy(
    records.filter((record) => record.group !== undefined),
    (record) => record.group!,
  );
  if (groups.size < 2) return {};
  const byGroup = [...groups]
    .sort(([first], [second]) => (first < second ? -1 : 1))
    .map(([group, own]) => ({ group, ...meanWithInterval(own), items: new Set(own.map((record) => record.item)).size }));
  return { byGroup };
}

const passRateBuckets: readonly Interval[] = [
  [0, 0],
  [0, 0.25],
  [0.25, 0.75],
  [0.75, 1],
];

/** Verdicts by who gave them, over all items, by group, and by how often plain answers to the item are right. */
function verificationFigures(
  records: readonly SlimRecord[],
  passRates: ReadonlyMap<string, number>,
): { verification?: VerificationResult[] } {
  const checks = records.flatMap((record) => (record.checks ?? []).map((check) => ({ ...check, record })));
  if (checks.length === 0) return {};
  const verification = [...Map.groupBy(checks, (check) => check.by)].map(([by, own]): VerificationResult => {
    const groups = Map.groupBy(
      own.filter(({ record }) => record.group !== undefined),
      ({ record }) => record.group!,
    );
    const byPassRate = passRateBuckets.flatMap(([low, high]) => {
      const within = own.filter(({ record }) => {
        const rate = passRates.get(record.item);
        return rate !== undefined && (high === 0 ? rate === 0 : rate > low && rate <= high);
      });
      return within.length === 0 ? [] : [{ passRate: [low, high] as Interval, ...verifierMetrics(within) }];
    });
    return {
      by,
      ...verifierMetrics(own),
      ...(groups.size > 1 ? { byGroup: [...groups].map(([group, verdicts]) => ({ group, ...verifierMetrics(verdicts) })) } : {}),
      ...(byPassRate.length > 0 ? { byPassRate } : {}),
    };
  });
  return { verification };
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([first], [second]) => (first < second ? -1 : 1)));
}
