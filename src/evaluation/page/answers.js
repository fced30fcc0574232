/** The browser of answers: two sets side by side on one problem. */
import { answerCard, gradeLine, gradeName, gradeSign, isRight, questionPart, sideChoices } from "./answer-parts.js";
import { answerText } from "./answer-text.js";
import { browse } from "./browse.js";
import { element } from "./dom.js";

/** @import { PageAnswer, PageData } from "../report-data.ts" */
/** @typedef {{ item: PageData["items"][number], words: string[], left: PageAnswer | null, right: PageAnswer | null }} AnswerPair */

/** @type {{ id: string, name: string, keep: (pair: AnswerPair) => boolean }[]} */
const answerFilters = [
  { id: "all", name: "all", keep: () => true },
  {
    id: "gained",
    name: "wrong → right",
    keep: ({ left, right }) => left !== null && right !== null && !isRight(left) && isRight(right),
  },
  { id: "lost", name: "right → wrong", keep: ({ left, right }) => right !== null && isRight(left) && !isRight(right) },
  { id: "refined", name: "refined", keep: ({ right }) => right !== null && right.refinements > 0 },
  { id: "malformed", name: "malformed", keep: ({ right }) => right !== null && right.verdict !== "ok" },
];

/** @param {HTMLElement} place @param {PageData} data */
export function drawAnswers(place, data) {
  /** @type {[left: number, right: number]} sets shown */
  const sides = [...data.compare];
  const { controls, columns, refresh } = browse({
    noun: "Problem",
    filters: answerFilters,
    entries: () =>
      data.items.flatMap((item, index) => {
        const [left, right] = sides.map((set) => data.sets[set].answers[index]);
        const words = [item.question, item.id, left?.text ?? "", right?.text ?? ""];
        return left === null && right === null ? [] : [{ item, words, left, right }];
      }),
    row: ({ item, left, right }) => [element("span", { class: "fate" }, `${gradeSign(left)}→${gradeSign(right)}`), item.question],
    detail: ({ item, left, right }) => [
      questionPart(item.question, item),
      element(
        "div",
        { class: "pair" },
        pageAnswerCard(data.sets[sides[0]].label, left),
        pageAnswerCard(data.sets[sides[1]].label, right),
      ),
    ],
  });
  const labels = data.sets.map(({ label }) => label);
  place.append(controls, element("div", { class: "answer-controls" }, ...sideChoices(labels, sides, refresh)), key(), columns);
  refresh();
}

/** @param {string} label @param {PageAnswer | null} answer */
function pageAnswerCard(label, answer) {
  if (answer === null) return answerCard(label, element("p", { class: "note" }, "No answer in this set."));
  const facts = [
    `${answer.refinements} ${answer.refinements === 1 ? "refinement" : "refinements"}`,
    answer.tokens === undefined ? undefined : `${answer.tokens} tokens`,
  ].filter((fact) => fact !== undefined);
  return answerCard(
    label,
    gradeLine(answer, `${gradeSign(answer)} ${gradeName(answer)}`, answer.answer || "(no answer)"),
    element("p", { class: "note" }, `${facts.join(", ")}.`),
    answer.verdict === "ok" ? null : element("p", { class: "warning" }, `Format: ${answer.verdict}. ${answer.verdictReason}`),
    answer.error === undefined ? null : element("p", { class: "warning" }, `Failed: ${answer.error}`),
    answer.stepMissing === undefined
      ? null
      : element("p", { class: "warning" }, `✗ Step ${answer.stepMissing + 1} of the reference solution is missing.`),
    answer.text === "" ? element("p", { class: "note" }, "(empty)") : answerText(answer),
  );
}

/** What the colours and signs mean. */
function key() {
  const kinds = ["think", "refine", "answer"].map((kind) => element("li", {}, element("span", { class: `span ${kind}` }, kind)));
  const marks = [
    element("li", {}, element("mark", { class: "mark wrong" }, "first wrong step")),
    element("li", {}, element("mark", { class: "mark corrected" }, "slip that a refinement corrected")),
    element("li", {}, "✓ right, ✗ wrong, ◐ partly"),
  ];
  return element("ul", { class: "legend key", "aria-label": "Key" }, ...kinds, ...marks);
}
