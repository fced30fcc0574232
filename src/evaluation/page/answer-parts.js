/** What every browser of answers shows alike: the grade with its sign, the question, and the choice of what stands at each side. */
import { element, percentText } from "./dom.js";
import { folded } from "./fold.js";

/** @typedef {{ accuracy: number }} Graded */

/** @param {Graded | null} answer */
export function isRight(answer) {
  return answer !== null && answer.accuracy > 1 - 1e-9;
}

/** @param {Graded | null} answer null where there is none */
export function gradeSign(answer) {
  return gradeSignOf(answer !== null, isRight(answer), answer !== null && answer.accuracy > 0);
}

/** @param {boolean} given @param {boolean} right @param {boolean} partly */
export function gradeSignOf(given, right, partly) {
  if (!given) return "·";
  return right ? "✓" : partly ? "◐" : "✗";
}

/** @param {Graded} answer */
export function gradeName(answer) {
  if (isRight(answer)) return "right";
  return answer.accuracy > 0 ? `partly right (${percentText(answer.accuracy, 0)})` : "wrong";
}

/** @param {Graded} answer @param {string} grade sign and words @param {string} given the answer that was graded */
export function gradeLine(answer, grade, given) {
  return element(
    "p",
    { class: `grade ${isRight(answer) ? "is-right" : "is-wrong"}` },
    `${grade}: `,
    element("strong", { dir: "auto" }, given),
  );
}

/** @param {string} question @param {{ id: string, answer?: string | undefined, group: string | null }} item `answer` is the reference's, where there is one */
export function questionPart(question, { id, answer, group }) {
  const reference =
    answer === undefined ? [] : ["Reference answer: ", folded(answer, (end) => isolated(answer.slice(0, end))), ". "];
  return element(
    "div",
    { class: "question" },
    folded(question, (end) => element("p", { class: "question-text", dir: "auto" }, question.slice(0, end))),
    element("div", { class: "note" }, ...reference, isolated(id), ...(group === null ? [] : [", ", isolated(group)]), "."),
  );
}

/** A piece of a line whose direction of writing is its own. @param {string} text */
function isolated(text) {
  return element("bdi", {}, text);
}

/** @param {string} label @param {...(Node | null)} parts */
export function answerCard(label, ...parts) {
  return element("article", { class: "card" }, element("h3", { dir: "auto" }, label), ...parts);
}

/** @param {string} label @param {readonly string[]} names @param {number} chosen @param {(index: number) => void} onChoose @param {Record<string, string>} [attributes] */
export function choiceOf(label, names, chosen, onChoose, attributes = {}) {
  const options = names.map((name, index) =>
    element("option", { value: String(index), selected: index === chosen, dir: "auto" }, name),
  );
  const select = element("select", attributes, ...options);
  select.addEventListener("change", () => onChoose(Number(select.value)));
  return element("label", { class: "set-choice" }, label, select);
}

/**
 * What stands left and right; `sides` is changed in place when the reader chooses.
 * @param {readonly string[]} names @param {[left: number, right: number]} sides @param {() => void} onChange
 */
export function sideChoices(names, sides, onChange) {
  return /** @type {const} */ ([0, 1]).map((at) => {
    const name = ["left", "right"][at];
    const choose = (/** @type {number} */ chosen) => {
      sides[at] = chosen;
      onChange();
    };
    return choiceOf(name, names, sides[at], choose, { "data-side": name });
  });
}
