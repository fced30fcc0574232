/** One item in full: its question, every method's grade, and two answers side by side with their traces. */
import { answerCard, gradeLine, gradeName, gradeSign, isRight, questionPart } from "./answer-parts.js";
import { answerText } from "./answer-text.js";
import { element, wholeText } from "./dom.js";
import { folded } from "./fold.js";
import { traceTree } from "./trace-view.js";
import { wordDiff } from "./word-diff.js";

/** @import { PageData, PageItem, PageTask, PageTrace } from "../report/page-shape.ts" */
/** @import { Piece } from "./word-diff.js" */
/** @typedef {PageTask["sets"][number]} TraceSet */

/**
 * @typedef {object} Shown
 * @property {PageData} data @property {PageTask} task
 * @property {string} id @property {string | null} group
 * @property {PageItem} item @property {readonly string[]} texts
 * @property {readonly [left: number, right: number]} sides
 * @property {boolean} marking words that differ
 * @property {(set: number) => void} onChoose a method for the right side
 */

/** @param {Shown} shown */
export function itemDetail({ data, task, id, group, item, texts, sides, marking, onChoose }) {
  const [left, right] = sides.map((set) => item.answers[set]);
  const difference =
    marking && left && right && sides[0] !== sides[1] ? wordDiff(texts[left.text], texts[right.text]) : undefined;
  const chips = item.answers.flatMap((answer, set) => {
    if (answer === null) return [];
    const kind = isRight(answer) ? "chip is-right" : "chip is-wrong";
    const pressed = String(set === sides[1]);
    const button = element(
      "button",
      { type: "button", class: kind, "aria-pressed": pressed },
      `${traceSign(answer)} ${setName(task.sets[set], data)}`,
    );
    button.addEventListener("click", () => onChoose(set));
    return [button];
  });
  return [
    questionPart(texts[item.question], { id, answer: item.answer, group }),
    element("div", { class: "chips", role: "group", "aria-label": "Show at the right" }, ...chips),
    element(
      "div",
      { class: "pair" },
      traceCard(setLabel(task.sets[sides[0]], data), left, texts, difference?.left, "del"),
      traceCard(setLabel(task.sets[sides[1]], data), right, texts, difference?.right, "ins"),
    ),
  ];
}

/** @param {string} label @param {PageTrace | null} answer @param {readonly string[]} texts @param {readonly Piece[] | undefined} pieces @param {"del" | "ins"} mark */
function traceCard(label, answer, texts, pieces, mark) {
  if (answer === null) return answerCard(label, element("p", { class: "note" }, "No answer to this item."));
  const text = texts[answer.text];
  const { spans = [], marks = [] } = answer;
  return answerCard(
    label,
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
      : folded(text, (end) => answerText(text.slice(0, end), spans, marks, pieces ?? [], mark), marks[0]?.start),
    element(
      "details",
      { class: "whole-trace", open: true },
      element("summary", {}, `Trace, ${answer.events.length} ${answer.events.length === 1 ? "event" : "events"}`),
      traceTree(answer, texts),
    ),
  );
}

/** @param {TraceSet} set @param {PageData} data */
function setLabel(set, data) {
  const name = setName(set, data);
  return set.note === undefined ? name : `${name}: ${set.note}`;
}

/** @param {TraceSet} set @param {PageData} data */
export function setName({ run, method, oracle }, data) {
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
