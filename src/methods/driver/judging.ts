/**
 * What a model is asked when it judges answers without knowing the right one, and how its reply is read. Reading fails closed: a verdict that is
 * missing or unclear is undefined, which no caller may take for a pass, and a score that cannot be read is undefined, which is worse than any
 * score. Only whole lines of the agreed form count, since the same words inside a sentence often mean the opposite; of several such lines the
 * last one does.
 */
import type { Message } from "#kernel/model.ts";
import { mean } from "#kernel/numbers.ts";

/** One answer by itself, 0 to 10. */
export function askForScore(conversation: readonly Message[], answer: string): Message[] {
  return asking(
    conversation,
    [{ title: "answer", text: answer }],
    [
      "Judge this answer strictly. Check every step and every fact by yourself, and do not trust it because it sounds sure.",
      "Do not write an answer of your own. End with a line of this form, from 0 (certainly wrong) to 10 (certainly right): Score: <number>",
    ],
  );
}

/** Mean over the replies whose score can be read, in [0, 1]; undefined when there is none. */
export function readMeanScore(replies: readonly string[]): number | undefined {
  const scores = replies.map((reply) => readScore(reply, 0, 10)).filter((score) => score !== undefined);
  return scores.length === 0 ? undefined : mean(scores);
}

export function askForBetter(conversation: readonly Message[], first: string, second: string): Message[] {
  return asking(
    conversation,
    [
      { title: "answer A", text: first },
      { title: "answer B", text: second },
    ],
    [
      "Compare the two answers: check the steps of each by yourself and find where they part. Length and style do not matter.",
      "End with a line of this form: Better: A, or Better: B, or Better: neither",
    ],
  );
}

export function readBetter(reply: string): "A" | "B" | "neither" | undefined {
  return readLabel(reply, "Better", ["A", "B", "neither"]);
}

export function askForBest(conversation: readonly Message[], answers: readonly string[]): Message[] {
  return asking(
    conversation,
    answers.map((text, index) => ({ title: `answer ${index + 1}`, text })),
    [
      "Compare these answers: check the steps of each by yourself. Length, style and order do not matter.",
      "End with a line of this form, naming the number of the answer that is most likely right: Best: <number>",
    ],
  );
}

/** Index of the answer named, from 0; undefined when none is. */
export function readBest(reply: string, count: number): number | undefined {
  const names = Array.from({ length: count }, (_, index) => String(index + 1));
  const named = readLabel(reply, "Best", names);
  return named === undefined ? undefined : names.indexOf(named);
}

/**
 * The judge stands outside of the conversation it judges: it reads it as a quotation, so that neither the user's wishes about form nor the
 * answers' own words are instructions to it. Parts that are not text cannot be quoted; they go along with the message.
 */
export function asking(
  conversation: readonly Message[],
  answers: readonly { title: string; text: string }[],
  requests: readonly string[],
): Message[] {
  const turns = conversation.filter((message) => message.role !== "system");
  const only = turns.length === 1 ? turns[0] : undefined;
  const question = only ? only.content : turns.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
  const parts = turns.findLast((message) => message.role === "user" && message.parts !== undefined)?.parts;
  const system = conversation.filter((message) => message.role === "system");
  const content = [
    quoted("question", question),
    ...answers.map(({ title, text }) => quoted(title, text)),
    requests.join(" "),
  ].join("\n\n");
  return [...system, { role: "user", content, parts }];
}

function quoted(title: string, text: string): string {
  return `[${title}]\n${text}\n[end of ${title}]`;
}

/**
 * The value of the last line `label: value`, for one of `values`; undefined when there is no such line or its value is none of them.
 * Case, Markdown emphasis and a closing full stop do not matter.
 */
export function readLabel<Value extends string>(text: string, label: string, values: readonly Value[]): Value | undefined {
  const stated = lastLabelled(text, label);
  return stated === undefined ? undefined : values.find((value) => value.toLowerCase() === stated.toLowerCase());
}

/** Whether the last line `Verdict: …` says `pass`; undefined when it says neither or is missing. */
export function readVerdict(text: string, pass = "right", fail = "wrong", label = "Verdict"): boolean | undefined {
  const stated = readLabel(text, label, [pass, fail]);
  return stated === undefined ? undefined : stated === pass;
}

/**
 * The number on the last line `Score: …`, brought from [low, high] to [0, 1]; undefined when it is missing, no number, or outside. Behind it
 * may stand the scale (`7/10`, `7 out of 10`) when it is the one asked for, and words, but no other number.
 */
export function readScore(text: string, low: number, high: number, label = "Score"): number | undefined {
  const stated = lastLabelled(text, label);
  const found =
    stated === undefined ? null : /^([+-]?\d{1,9}(?:\.\d{1,9})?)(?: ?(?:\/|out of|of) ?(\d{1,9}))?(?![\d.])(.*)$/i.exec(stated);
  if (!found) return undefined;
  const [, digits, scale, rest] = found;
  if (/[\d%]/.test(rest)) return undefined;
  const value = Number(digits);
  if ((scale !== undefined && Number(scale) !== high) || value < low || value > high || high <= low) return undefined;
  return (value - low) / (high - low);
}

/** What stands behind the colon of the last line that begins with the label. */
function lastLabelled(text: string, label: string): string | undefined {
  const wanted = label.toLowerCase();
  const lines = text.split("\n");
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = plain(lines[index]);
    if (!line.toLowerCase().startsWith(wanted)) continue;
    const rest = line.slice(wanted.length).trimStart();
    if (rest.startsWith(":") || rest.startsWith("=")) return rest.slice(1).trim().replace(/\.$/, "").trim();
  }
  return undefined;
}

/** Longer lines are no verdict lines. */
const longestLine = 400;

/** A line without Markdown's marks of emphasis, headings, lists and quotes, its spaces joined. */
function plain(line: string): string {
  if (line.length > longestLine) return "";
  return line
    .replace(/[*_`#>]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^- /, "");
}
