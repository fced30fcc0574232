/** Every reader of texts that are not our own, beside those of answers (src/verifiers/answers/growth.test.ts): models' words, files, addresses. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { splitWorkedAnswer } from "#data/files/question-answer.ts";
import { delimitedRecords, jsonRows } from "#data/files/rows.ts";
import { readRefinements } from "#evaluation/refinements/text.ts";
import { markSteps } from "#evaluation/report/answer-marks.ts";
import { normaliseAnswer } from "#kernel/answer-form.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { keepSecretsOfAddress } from "#kernel/secrets.ts";
import { withoutEndingSlashes } from "#kernel/values.ts";
import { readBest, readScore, readVerdict } from "#methods/driver/judging.ts";
import { lostNumbers } from "#methods/driver/numbers-kept.ts";
import { readStepScores, stepsOf } from "#methods/driver/step-scores.ts";
import { readOutOfTen, saysAllRight } from "#methods/driver/turns.ts";
import { sharedWords } from "#methods/refinement/iort.ts";
import { readKeyPoints } from "#methods/refinement/progco.ts";
import { splitReasoning } from "#models/openai/reasoning-text.ts";
import { answerAgreement } from "#recipes/ptr-data/selection.ts";
import { escapeMarkdown } from "#text/markdown.ts";
import { ChatTemplate, textAfterTurn } from "#tokens/chat-template.ts";
import { gradeSteps, lastResult } from "#verifiers/answers/steps.ts";
import { readJudgeScore } from "#verifiers/judges/judge.ts";
import { visibleTests } from "#verifiers/programs/examples.ts";
import { growsTooFast } from "../support/growth.ts";

const page = pathToFileURL(path.join(import.meta.dirname, "../../src/evaluation/page/word-diff.js")).href;
const { wordDiff } = (await import(page)) as { wordDiff(left: string, right: string): unknown };

/** A file may be refused; what matters is how long that takes. */
const refusing = (read: (text: string) => unknown) => (text: string) => {
  try {
    read(text);
  } catch {
    // Refused.
  }
};

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  "the grammar of refinements": parseRefine,
  "refinements in reports": readRefinements,
  "steps of worlds": (text) => [gradeSteps(text, ["1 + 1 = 2"]), lastResult(text)],
  "marks in reports": (text) => [
    markSteps({}, { text, firstWrongStep: 0, accuracy: 0 }),
    markSteps({ steps: ["1 + 1 = 2"] }, { text, accuracy: 0 }),
  ],
  "a judge's verdict": (text) => [readVerdict(text), readScore(text, 0, 10), readBest(text, 3)],
  "a judge's score": (text) => readJudgeScore("summary", text),
  "scores of steps": (text) => [readStepScores(text, 3), stepsOf(text)],
  feedback: (text) => [saysAllRight(text), readOutOfTen(text)],
  "key points": readKeyPoints,
  "shared words": (text) => sharedWords(text, "a b c"),
  "numbers kept": (text) => lostNumbers("1 and 2", text),
  "reasoning within the text": (text) => [splitReasoning(text, "split"), splitReasoning(text, "split-from-start")],
  "agreement of answers": (text) => answerAgreement([text, `${text} `]),
  "a chat template": (text) =>
    template.render(
      [
        { role: "user", content: text },
        { role: "assistant", content: text },
      ],
      true,
    ),
  "what follows a turn": (text) => textAfterTurn("", text, "</s>", ` ${text}${text} </s>x`),
  "an address's end": withoutEndingSlashes,
  "an answer's plain form": normaliseAnswer,
  "examples of a program's prompt": (text) =>
    visibleTests({ id: "1", question: "", answer: "", program: { prompt: text, entryPoint: "f", tests: "" } }),
  "text in Markdown": escapeMarkdown,
  "lines of JSON": refusing((text) => jsonRows("x.jsonl", text)),
  "a JSON file": refusing((text) => jsonRows("x.json", text)),
  CSV: refusing((text) => delimitedRecords("x.csv", text, {})),
  "worked answers": splitWorkedAnswer,
  "the difference of words": (text) => wordDiff(text, `x ${text}`),
  "secrets of an address": (text) => keepSecretsOfAddress(text.slice(0, 200_000)),
};

/** As Qwen's takes thoughts out of earlier answers. */
const template = new ChatTemplate(
  "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1].strip() | trim }}\n{% endfor %}",
  {},
  "chat_template.jinja",
);

const pieces = [
  ...[
    " ",
    "\n",
    " \n",
    "\t",
    ".",
    "...",
    "(",
    "[",
    "{",
    "\\",
    "9",
    "1 ",
    "1,",
    "1/",
    "1+",
    "=",
    "= 1 ",
    "<",
    "<<",
    '"',
    "'",
    "`",
  ],
  ...[
    "a",
    "a ",
    "A, ",
    "é",
    "\u0301",
    "-",
    "*",
    "_",
    "#",
    "/",
    ":",
    "@",
    "|",
    "~",
    "```\n",
    ">>> f(",
    "f(",
    "<refine>",
    "</refine>",
  ],
  ...[
    "<think>",
    "</think>",
    "<answer>",
    "Score: ",
    "Verdict: ",
    "Best: 1\n",
    "key points\n",
    "9/10 ",
    "####",
    '{"a":',
    "https://",
    "٤",
    "\u202e",
  ],
];
const frames: readonly [before: string, behind: string][] = [
  ["", ""],
  ["", "x"],
  ["x ", "x"],
  [":", "x"],
  ["Score: ", "x"],
  ["1 + 1 = ", "="],
  ['"', ""],
];

describe("no reader's work grows faster than its input", () => {
  it.each(Object.entries(readers))("%s", (_name, read) => {
    const slow = frames.flatMap(([before, behind]) =>
      pieces
        .filter((piece) => growsTooFast(read, (length) => before + piece.repeat(length / piece.length) + behind))
        .map((piece) => [before, piece, behind]),
    );
    expect(slow).toEqual([]);
  });
});
