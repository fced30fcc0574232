/** A search through all texts of all items, part by part: it lets the page breathe, says how far it is, and stops when it is told. */
import { pause } from "./packed.js";

/** @import { PageEvent, PageItem, PageTrace } from "../report/page-shape.ts" */
/** @import { Parts } from "./packed.js" */

/** Milliseconds of work after which the page may do something else. */
const breath = 12;

/**
 * @param {object} search
 * @param {Parts} search.parts
 * @param {string} search.wanted in small letters
 * @param {readonly [number, number] | undefined} search.sides only questions, reference answers and these sets' answers; undefined: everything
 * @param {(item: number) => void} search.onFound
 * @param {(done: number) => void} search.onProgress items looked through so far
 * @param {AbortSignal} search.signal
 */
export async function searchTraces({ parts, wanted, sides, onFound, onProgress, signal }) {
  let rested = performance.now();
  for await (const { first, part } of parts.all()) {
    /** Texts by number, looked at once. @type {Map<number, boolean>} */
    const known = new Map();
    const inText = (/** @type {number} */ place) => {
      const before = known.get(place);
      if (before !== undefined) return before;
      const found = part.texts[place].toLowerCase().includes(wanted);
      known.set(place, found);
      return found;
    };
    for (const [index, item] of part.items.entries()) {
      if (signal.aborted) return;
      if (sides ? inAnswers(item, sides, wanted, inText) : inItem(item, wanted, inText)) onFound(first + index);
      if (performance.now() - rested < breath) continue;
      await pause(0);
      rested = performance.now();
    }
    if (signal.aborted) return;
    onProgress(first + part.items.length);
  }
}

/** @param {PageItem} item @param {readonly [number, number]} sides @param {string} wanted @param {(place: number) => boolean} inText */
function inAnswers({ question, answer = "", answers }, sides, wanted, inText) {
  if (inText(question) || answer.toLowerCase().includes(wanted)) return true;
  return sides.some((set) => {
    const given = answers[set];
    return given !== null && (inText(given.text) || (given.extracted ?? "").toLowerCase().includes(wanted));
  });
}

/** @param {PageItem} item @param {string} wanted @param {(place: number) => boolean} inText */
function inItem({ answer = "", uses, answers }, wanted, inText) {
  return (
    answer.toLowerCase().includes(wanted) ||
    uses.some(inText) ||
    answers.some((given) => given !== null && namesOf(given).some((name) => name.toLowerCase().includes(wanted)))
  );
}

/** What of a trace is no text of its own. @param {PageTrace} answer */
function namesOf({ answer, extracted = "", error = "", status = "", reason, events }) {
  return [answer, extracted, error, status, reason, ...events.map(nameOf)];
}

/** @param {PageEvent} event @returns {string} */
function nameOf({ name = "", inner }) {
  return inner ? `${name} ${nameOf(inner)}` : name;
}
