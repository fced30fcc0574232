/** An answer as numbered steps: for a judge who scores each of them, and for a reviewer who is shown the scores. */

/** Numbers longer than this list no model keeps apart. */
const mostSteps = 20;
const longestLine = 1000;

/** The lines that are not blank, in as many groups as there may be steps. */
export function stepsOf(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const size = Math.ceil(lines.length / mostSteps);
  const steps: string[] = [];
  for (let start = 0; start < lines.length; start += size) steps.push(lines.slice(start, start + size).join("\n"));
  return steps;
}

/** Every step with its number, and with its score out of 10 where there is one. Scores that belong to other steps stand below. */
export function withStepScores(text: string, scores?: readonly number[]): string {
  const steps = stepsOf(text);
  const areTheirs = scores?.length === steps.length;
  const told = steps.map((step, index) => {
    const score = areTheirs ? `, ${outOfTen(scores[index])}` : "";
    return `[step ${index + 1}${score}] ${step}`;
  });
  const listed = scores && !areTheirs ? [`[scores of its steps, in order: ${scores.map(outOfTen).join(", ")}]`] : [];
  return [...told, ...listed].join("\n");
}

/** The numbers of the last line `Steps: 9 8 4`, in [0, 1]; undefined unless there are `count` of them, each from 0 to 10. */
export function readStepScores(reply: string, count: number): number[] | undefined {
  const line = reply.split("\n").findLast((each) => each.length <= longestLine && /^\W{0,9}steps\W{0,9}[:=]/i.test(each));
  if (line === undefined || count === 0) return undefined;
  const pieces = line.slice(line.search(/[:=]/) + 1).split(/[\s,;*_`]+/);
  const words = pieces.filter((piece) => piece !== "");
  const scores = words.map((word) => (/^\d{1,2}(\.\d{1,4})?(\/10)?\.?$/.test(word) ? Number.parseFloat(word) / 10 : Number.NaN));
  return scores.length === count && scores.every((score) => score <= 1) ? scores : undefined;
}

function outOfTen(score: number): string {
  return `${Math.round(score * 10)}/10`;
}
