/** What `midcourse eval` was asked for, read from its options: lists, caps on cost, files by task. Errors say what to type. */
import type { Budget } from "#kernel/budget.ts";
import { userError } from "#kernel/errors.ts";
import type { Usage } from "#kernel/model.ts";

const caps: Readonly<Record<string, keyof Budget>> = {
  tokens: "tokens",
  "output-tokens": "outputTokens",
  calls: "calls",
  usd: "dollars",
  seconds: "seconds",
};

/** `tokens=2000,calls=5` as a budget. */
export function parseBudget(text: string, option: string): Budget {
  const budget: Budget = {};
  for (const part of text.split(",")) {
    const [name = "", value = "", ...rest] = part.split("=").map((piece) => piece.trim());
    const cap = Object.hasOwn(caps, name) ? caps[name] : undefined;
    const amount = Number(value);
    if (cap === undefined || rest.length > 0 || value === "" || !Number.isFinite(amount) || amount <= 0) {
      throw userError(
        "budget",
        `${option} ${text}: “${part.trim()}” is no cap`,
        `Write one or several of ${Object.keys(caps).join(", ")} with a number above 0, such as ${option} tokens=2000,calls=5.`,
      );
    }
    if (budget[cap] !== undefined) throw userError("budget", `${option} ${text} names ${name} twice`, "Name each cap once.");
    budget[cap] = amount;
  }
  return budget;
}

/** `gsm8k=FILE` by task; a bare FILE belongs to the only task. */
export function filesByTask(entries: readonly string[], tasks: readonly string[], option: string): Record<string, string> {
  // Tasks are looked up later, and may be called as what every object has.
  const files: Record<string, string> = Object.create(null);
  for (const entry of entries) {
    const at = entry.indexOf("=");
    const named = at > 0 && tasks.includes(entry.slice(0, at));
    if (!named && tasks.length !== 1) {
      throw userError(
        "file-without-task",
        `${option} ${entry} does not say which of the tasks ${tasks.join(", ")} it is for`,
        `Write ${option} ${tasks[0]}=${entry}.`,
      );
    }
    const task = named ? entry.slice(0, at) : tasks[0];
    if (files[task] !== undefined) throw userError("file-twice", `${option} names two files for ${task}`, "Name one.");
    files[task] = named ? entry.slice(at + 1) : entry;
  }
  return files;
}

/** Names between commas, each once, in the order given. */
export function parseNames(text: string, option: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0)
    throw userError("empty-list", `${option} is empty`, `Write names between commas, such as ${option} gsm8k,mmlu.`);
  return [...new Set(names)];
}

/** Why a run ended before its answers were all given. A cap on something that nobody tells ends it too, and for another reason. */
export function allowanceWords({ dollars, tokens, outputTokens }: Budget, spent: Usage): string {
  const counts = tokens !== undefined || outputTokens !== undefined;
  const unknown =
    dollars !== undefined && spent.dollars === undefined
      ? "dollars is unknown: there is no price for this model (--prices FILE)"
      : counts && (spent.inputTokens === undefined || spent.outputTokens === undefined)
        ? "tokens is unknown: the server does not tell them for every call"
        : undefined;
  return unknown === undefined
    ? "The run's budget is spent and answers are missing. The same command with a larger --run-budget goes on."
    : `The run's cost in ${unknown}. An unknown amount is not a small one, so no further answer was begun and answers are missing.`;
}
