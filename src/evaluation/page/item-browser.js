/** The browser of items: two methods (of one run or of two) side by side on one item, with their traces. */
import { answerCard, choiceOf, gradeLine, gradeName, gradeSign, isRight, questionPart, sideChoices } from "./answer-parts.js";
import { answerText } from "./answer-text.js";
import { browse } from "./browse.js";
import { element, wholeText } from "./dom.js";
import { traceTree } from "./trace-view.js";
import { wordDiff } from "./word-diff.js";

/** @import { PageData, PageTask, PageTrace } from "../report/page-shape.ts" */
/** @import { Piece } from "./word-diff.js" */
/** @typedef {PageTask["sets"][number]} TraceSet */
/**
 * @typedef {object} ItemAnswers
 * @property {PageTask["items"][number]} item
 * @property {string[]} words
 * @property {PageTrace | null} left
 * @property {PageTrace | null} right
 * @property {(PageTrace | null)[]} all one for each set of the task
 */

/** @type {{ id: string, name: string, keep: (answers: ItemAnswers) => boolean }[]} */
const itemFilters = [
  { id: "all", name: "all", keep: () => true },
  { id: "wrong", name: "right one wrong", keep: ({ right }) => right !== null && !isRight(right) },
  { id: "gained", name: "wrong → right", keep: ({ left, right }) => left !== null && !isRight(left) && isRight(right) },
  { id: "lost", name: "right → wrong", keep: ({ left, right }) => right !== null && isRight(left) && !isRight(right) },
  {
    id: "differ",
    name: "answers differ",
    keep: ({ left, right }) =>
      left !== null && right !== null && (left.extracted ?? left.answer).trim() !== (right.extracted ?? right.answer).trim(),
  },
  { id: "refined", name: "refined", keep: ({ right }) => right !== null && right.refinements > 0 },
  { id: "malformed", name: "malformed", keep: ({ right }) => right?.spans !== undefined && right.verdict !== "ok" },
  { id: "errors", name: "failed", keep: ({ left, right }) => left?.error !== undefined || right?.error !== undefined },
  {
    id: "disagree",
    name: "any two disagree",
    keep: ({ all }) => all.some(isRight) && all.some((answer) => answer !== null && !isRight(answer)),
  },
];

/** Returns how to show another task. @param {HTMLElement} place @param {PageData} data */
export function drawItemBrowser(place, data) {
  let task = data.browser[0];
  /** @type {[left: number, right: number]} sets shown */
  let sides = [...task.first];

  const note = element("p", { class: "note" });
  const choices = element("div", { class: "answer-controls" });
  const marking = element("input", { type: "checkbox", checked: true });
  const { controls, columns, refresh, refreshInPlace, redraw } = browse({
    noun: "Item",
    filters: itemFilters,
    entries,
    row,
    detail,
  });

  /** @returns {ItemAnswers[]} */
  function entries() {
    return task.items.map((item, index) => {
      const all = task.sets.map((set) => set.answers[index]);
      const [left, right] = sides.map((set) => all[set]);
      const answers = [left, right].map((answer) => (answer ? data.texts[answer.text] : ""));
      return { item, words: [item.id, data.texts[item.question], ...answers], left, right, all };
    });
  }

  /** @param {ItemAnswers} answers */
  function row({ item, left, right }) {
    const fate = element("span", { class: "fate" }, `${traceSign(left)}→${traceSign(right)}`);
    return [fate, beginningOf(data.texts[item.question])];
  }

  /** @param {ItemAnswers} answers */
  function detail({ item, left, right, all }) {
    const difference =
      marking.checked && left && right && sides[0] !== sides[1]
        ? wordDiff(data.texts[left.text], data.texts[right.text])
        : undefined;
    return [
      questionPart(data.texts[item.question], item),
      element("div", { class: "chips", role: "group", "aria-label": "Show at the right" }, ...all.flatMap(chip)),
      element(
        "div",
        { class: "pair" },
        traceCard(task.sets[sides[0]], left, difference?.left, "del"),
        traceCard(task.sets[sides[1]], right, difference?.right, "ins"),
      ),
    ];
  }

  /** A button that puts a set's answer at the right. @param {PageTrace | null} answer @param {number} set */
  function chip(answer, set) {
    if (answer === null) return [];
    const button = element(
      "button",
      { type: "button", class: isRight(answer) ? "chip is-right" : "chip is-wrong" },
      `${traceSign(answer)} ${setName(task.sets[set], data)}`,
    );
    button.addEventListener("click", () => {
      sides[1] = set;
      showChoices();
      refreshInPlace();
    });
    return [button];
  }

  /** @param {TraceSet} set @param {PageTrace | null} answer @param {readonly Piece[] | undefined} pieces @param {"del" | "ins"} mark */
  function traceCard(set, answer, pieces, mark) {
    const label = setName(set, data);
    if (answer === null) return answerCard(label, element("p", { class: "note" }, "No answer to this item."));
    const text = data.texts[answer.text];
    return answerCard(
      set.note === undefined ? label : `${label}: ${set.note}`,
      gradeLine(answer, `${traceSign(answer)} ${traceGrade(answer)}`, answer.extracted ?? "(no answer found)"),
      element("p", { class: "note" }, traceFacts(answer)),
      answer.error === undefined ? null : element("p", { class: "warning" }, `Failed: ${answer.error}`),
      answer.verdictReason === undefined
        ? null
        : element("p", { class: "warning" }, `Format: ${answer.verdict}. ${answer.verdictReason}`),
      answer.stepMissing === undefined
        ? null
        : element("p", { class: "warning" }, `✗ Step ${answer.stepMissing + 1} of the reference solution is missing.`),
      text === ""
        ? element("p", { class: "note" }, "(empty)")
        : answerText(text, answer.spans ?? [], answer.marks ?? [], pieces ?? [], mark),
      element(
        "details",
        { class: "whole-trace", open: true },
        element("summary", {}, `Trace, ${answer.events.length} ${answer.events.length === 1 ? "event" : "events"}`),
        traceTree(answer, data.texts),
      ),
    );
  }

  function showChoices() {
    const names = task.sets.map((set) => setName(set, data));
    choices.replaceChildren(
      choiceOf(
        "task",
        data.browser.map((candidate) => candidate.task),
        data.browser.indexOf(task),
        (chosen) => show(data.browser[chosen]),
      ),
      ...sideChoices(names, sides, refresh),
      element("label", { class: "set-choice" }, marking, "mark differing words"),
    );
  }

  /** @param {PageTask} chosen */
  function show(chosen) {
    task = chosen;
    sides = [...task.first];
    note.textContent = task.note;
    showChoices();
    refresh();
  }

  marking.addEventListener("change", redraw);
  const isMarked = data.browser.some(({ sets }) =>
    sets.some(({ answers }) => answers.some((answer) => answer?.spans !== undefined)),
  );
  place.append(note, choices, controls, ...(isMarked ? [key()] : []), columns);
  show(task);
  return (/** @type {string} */ name) => {
    const chosen = data.browser.find((candidate) => candidate.task === name);
    if (chosen) show(chosen);
  };
}

/** As much of a question as two lines of the list hold. @param {string} text */
function beginningOf(text) {
  const line = text.slice(0, 400).replace(/\s+/g, " ").trim();
  return line.length <= 56 ? line : `${line.slice(0, 55)}…`;
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

/** @param {TraceSet} set @param {PageData} data */
function setName({ run, method, oracle }, data) {
  return `${data.runs.length > 1 ? `${data.runs[run].label}: ` : ""}${method}${oracle ? " †" : ""}`;
}

/** @param {PageTrace | null} answer */
function traceSign(answer) {
  return answer?.error === undefined ? gradeSign(answer) : "!";
}

/** @param {PageTrace} answer */
function traceGrade(answer) {
  const inForm = !isRight(answer) || answer.strictAccuracy === undefined || answer.strictAccuracy >= 1;
  return `${gradeName(answer)}${inForm ? "" : ", not in the form asked for"}`;
}

/** @param {PageTrace} answer */
function traceFacts({ refinements, calls, inputTokens, outputTokens, seconds, reason, status }) {
  const facts = [
    `${calls} ${calls === 1 ? "call" : "calls"}`,
    outputTokens === undefined
      ? "tokens unknown"
      : `${wholeText(outputTokens)} tokens sampled, ${inputTokens === undefined ? "?" : wholeText(inputTokens)} in prompts`,
    seconds === undefined ? "" : `${seconds.toFixed(1)} s`,
    refinements === 0 ? "" : `${refinements} ${refinements === 1 ? "refinement" : "refinements"}`,
    reason === "done" ? "" : `ended: ${reason}`,
    status === undefined ? "" : `grading: ${status}`,
  ];
  return `${facts.filter((fact) => fact !== "").join(", ")}.`;
}
