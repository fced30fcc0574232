/** How far judges agree over many answers, beyond what chance would bring. */
import type { Score } from "#kernel/item.ts";
import { mean } from "#kernel/numbers.ts";

export interface JudgeAgreement {
  /** Answers on which at least two judges gave a verdict. */
  answers: number;
  judges: number;
  /** Share of pairs of judges that fall on the same side of one half, averaged over answers. */
  share: number;
  /** Cohen's κ, for two judges. */
  cohenKappa?: number | undefined;
  /** Fleiss' κ, over the answers on which every judge gave a verdict. Undefined where all verdicts are the same: chance explains everything then. */
  fleissKappa?: number | undefined;
  /** Answers without any readable verdict. */
  unparsable: number;
}

/** Over the scores that a judge with several models gave; undefined when fewer than two judges can be compared. */
export function judgeAgreement(scores: readonly Score[]): JudgeAgreement | undefined {
  const rows = scores.map((score) => verdictsOf(score));
  const judges = Math.max(0, ...rows.map((row) => row.length));
  const compared = rows.filter((row) => row.filter((verdict) => verdict !== undefined).length >= 2);
  if (judges < 2 || compared.length === 0) return undefined;
  const shares = compared.map((row) => samePairs(row.filter((verdict) => verdict !== undefined)));
  const complete = compared.filter((row): row is boolean[] => row.length === judges && !row.includes(undefined));
  return {
    answers: compared.length,
    judges,
    share: mean(shares),
    cohenKappa: judges === 2 ? cohenKappa(complete.map(([first, second]) => [first, second])) : undefined,
    fleissKappa: fleissKappa(complete),
    unparsable: scores.filter((score) => score.status === "judge-unparsable").length,
  };
}

/** By judge, right or not; undefined where it gave no verdict that could be read. */
function verdictsOf(score: Score): (boolean | undefined)[] {
  const verdicts: (boolean | undefined)[] = [];
  for (const [name, value] of Object.entries(score.measures ?? {})) {
    const number = /^judge(\d{1,3})$/.exec(name)?.[1];
    if (number !== undefined) verdicts[Number(number) - 1] = value >= 0.5;
  }
  return Array.from(verdicts);
}

/** Share of pairs of verdicts that are the same; of two verdicts at least. */
export function samePairs(verdicts: readonly boolean[]): number {
  const yes = verdicts.filter(Boolean).length;
  const no = verdicts.length - yes;
  return (yes * (yes - 1) + no * (no - 1)) / (verdicts.length * (verdicts.length - 1));
}

/** J. Cohen, "A coefficient of agreement for nominal scales", 1960. Undefined for no pairs, or when chance alone would agree always. */
export function cohenKappa(pairs: readonly (readonly [boolean, boolean])[]): number | undefined {
  if (pairs.length === 0) return undefined;
  const share = (count: number) => count / pairs.length;
  const observed = share(pairs.filter(([first, second]) => first === second).length);
  const firstYes = share(pairs.filter(([first]) => first).length);
  const secondYes = share(pairs.filter(([, second]) => second).length);
  const chance = firstYes * secondYes + (1 - firstYes) * (1 - secondYes);
  return chance === 1 ? undefined : (observed - chance) / (1 - chance);
}

/** J. L. Fleiss, "Measuring nominal scale agreement among many raters", 1971; every row holds as many verdicts, two at least. */
export function fleissKappa(rows: readonly (readonly boolean[])[]): number | undefined {
  if (rows.length === 0 || rows[0].length < 2) return undefined;
  const observed = rows.reduce((sum, row) => sum + samePairs(row), 0) / rows.length;
  const yes = rows.reduce((sum, row) => sum + row.filter(Boolean).length, 0) / (rows.length * rows[0].length);
  const chance = yes ** 2 + (1 - yes) ** 2;
  return chance === 1 ? undefined : (observed - chance) / (1 - chance);
}
