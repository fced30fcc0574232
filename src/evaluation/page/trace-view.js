/** One answer's trace as a tree: attempts, feedback, checks, steps, choices and the runs of inner methods, prompts folded away. */
import { element, percentText, wholeText } from "./dom.js";
import { folded } from "./fold.js";

/** @import { PageEvent, PageTrace } from "../report/page-shape.ts" */

/** @param {PageTrace} answer @param {readonly string[]} texts */
export function traceTree(answer, texts) {
  if (answer.events.length === 0) return element("p", { class: "note" }, "No trace was kept.");
  return element("ol", { class: "trace" }, ...answer.events.map((event) => eventEntry(event, texts)));
}

/** @param {PageEvent} event @param {readonly string[]} texts @returns {HTMLElement} */
function eventEntry(event, texts) {
  if (event.type === "inner" && event.inner) {
    return element(
      "li",
      { class: "event inner" },
      element("p", { class: "event-title" }, `Inside: ${event.name}`),
      element("ol", { class: "trace" }, eventEntry(event.inner, texts)),
    );
  }
  const facts = [verdictOf(event), costOf(event)].filter((fact) => fact !== "");
  const text = event.text === undefined ? "" : texts[event.text];
  return element(
    "li",
    { class: `event ${event.type}` },
    element(
      "p",
      { class: "event-title" },
      element("strong", {}, titleOf(event)),
      facts.length > 0 ? ` ${facts.join(" · ")}` : "",
    ),
    event.messages && event.messages.length > 0 ? promptOf(event.messages, texts) : null,
    text === "" ? null : longText(text),
  );
}

/** @param {PageEvent} event */
function titleOf({ type, name, attempt }) {
  const number = attempt === undefined ? "" : ` ${attempt + 1}`;
  if (type === "attempt-end") return `Attempt${number}`;
  if (type === "feedback-end") return `Feedback on attempt${number}`;
  if (type === "step-end") return `Step: ${name}`;
  if (type === "check-end") return `Check of attempt${number} by ${name}`;
  if (type === "choice-end") return `Chose attempt${number}: ${name}`;
  return type === "error" ? "Failed" : type;
}

/** @param {PageEvent} event */
function verdictOf({ type, passed, score, accuracy }) {
  const grade =
    accuracy === undefined ? "" : accuracy > 1 - 1e-9 ? "✓ right" : accuracy > 0 ? `◐ ${percentText(accuracy, 0)}` : "✗ wrong";
  if (type !== "check-end") return grade;
  const verdict = passed === undefined ? (score === undefined ? "no verdict" : "") : passed ? "passed" : "not passed";
  return [verdict, score === undefined ? "" : `score ${score.toFixed(2)}`].filter((part) => part !== "").join(", ");
}

/** @param {PageEvent} event */
function costOf({ inputTokens, outputTokens, type }) {
  if (type === "error" || type === "choice-end" || type === "inner") return "";
  if (outputTokens === undefined) return "tokens unknown";
  return `${inputTokens === undefined ? "?" : wholeText(inputTokens)} → ${wholeText(outputTokens)} tokens`;
}

/** @param {{ role: string, text: number }[]} messages @param {readonly string[]} texts */
function promptOf(messages, texts) {
  const details = element(
    "details",
    { class: "prompt" },
    element("summary", {}, `Prompt, ${messages.length} ${messages.length === 1 ? "message" : "messages"}`),
  );
  // Prompts repeat what stands above them, again and again.
  whenOpened(details, () =>
    messages.map(({ role, text }) =>
      element("div", { class: "message" }, element("p", { class: "role" }, role), plainText(texts[text])),
    ),
  );
  return details;
}

/** @param {string} text */
function longText(text) {
  if (text.length < 600) return plainText(text);
  const details = element(
    "details",
    { class: "long" },
    element("summary", {}, element("bdi", {}, `${text.slice(0, 160).trim()} …`)),
  );
  whenOpened(details, () => [plainText(text)]);
  return details;
}

/** What is folded away is made when it is opened for the first time. @param {HTMLDetailsElement} details @param {() => Element[]} make */
function whenOpened(details, make) {
  details.addEventListener("toggle", () => details.append(...make()), { once: true });
}

/** @param {string} text */
function plainText(text) {
  return folded(text, (end) => element("pre", { dir: "auto" }, text.slice(0, end)));
}
