/** How answers are read from completions and told apart where nothing is known of the task: for votes, convergence and gates. */
import { parseRefine } from "./refine-grammar.ts";
import type { MethodRequest } from "./trace.ts";

export interface AnswerForm {
  /** The comparable answer in a completion; undefined when there is none. */
  read(text: string): string | undefined;
  same(first: string, second: string): boolean;
}

/** The task's own form where the request brings one, else the answer span or whole text compared by `normaliseAnswer`. */
export function answerFormOf(request: Pick<MethodRequest, "tools">): AnswerForm {
  const { readAnswer, sameAnswer } = request.tools ?? {};
  return {
    read: readAnswer ?? ((text) => parseRefine(text).answerText || undefined),
    same: sameAnswer ?? ((first, second) => normaliseAnswer(first) === normaliseAnswer(second)),
  };
}

/**
 * Indices of the answers that are the same one, in the order of first sight; those without an answer are in none. `same` need not be transitive:
 * answers that agree one with the next are one answer, so that the groups do not depend on the order, whatever `same` makes of two texts the
 * other way round.
 */
export function groupAnswers(
  answers: readonly (string | undefined)[],
  same: (first: string, second: string) => boolean,
): number[][] {
  // Equal texts are compared once: telling formulas apart can be dear.
  const texts = [...new Set(answers)].filter((answer) => answer !== undefined);
  let groups: string[][] = [];
  for (const text of texts) {
    const agrees = (other: string) => (text < other ? same(text, other) : same(other, text));
    const own = groups.filter((group) => group.some(agrees));
    if (own.length === 1) own[0].push(text);
    else groups = [...groups.filter((group) => !own.includes(group)), [...own.flat(), text]];
  }
  const groupOf = new Map(groups.flatMap((group, number) => group.map((text) => [text, number] as const)));
  const members = new Map<number, number[]>();
  for (const [index, answer] of answers.entries()) {
    const group = answer === undefined ? undefined : groupOf.get(answer);
    if (group === undefined) continue;
    const known = members.get(group);
    if (known) known.push(index);
    else members.set(group, [index]);
  }
  return [...members.values()];
}

/** Case, spacing, a closing full stop, thousands separators and trailing decimal zeros do not make answers different. */
export function normaliseAnswer(answer: string): string {
  const text = answer.trim().toLowerCase().replace(/\s+/g, " ").replace(/\.$/, "");
  const digits = text.replace(/(?<=\d),(?=\d{3}\b)/g, "");
  const number = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(digits);
  if (!number || !/\d/.test(digits)) return text;
  const [, sign, whole = "", decimals = ""] = number;
  const fraction = withoutTrailingZeros(decimals);
  const size = `${whole.replace(/^0+/, "") || "0"}${fraction ? `.${fraction}` : ""}`;
  return sign === "-" && size !== "0" ? `-${size}` : size;
}

/** A loop, because a pattern would try every zero of a long row as the beginning of the end. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
