/** A list of any length of which only the rows in sight, and some around them, are in the document. One row is the current one. */
import { element } from "./dom.js";

/** @import { Child } from "./dom.js" */

/** Shorter lists stand there whole, for the browser's own search. */
const wholeUpTo = 150;
/** Rows above and below those in sight. */
const around = 12;

/**
 * Keys move the current row: up and down, page by page, to both ends.
 * @param {object} list
 * @param {string} list.label
 * @param {(at: number) => Child[]} list.row
 * @param {(at: number, repeated: boolean) => void} list.onChoose a click or a key; `repeated` while a key is held
 */
export function virtualList({ label, row, onChoose }) {
  const rows = element("ol", { "aria-label": label });
  const box = element("div", { class: "answer-list" }, rows);
  let [length, current, from, to] = [0, 0, 0, 0];

  function height() {
    const first = rows.firstElementChild;
    return (first instanceof HTMLElement && first.offsetHeight) || 54;
  }

  /** @param {boolean} [anew] rows in sight are made again though they are the same ones */
  function draw(anew = false) {
    const each = height();
    const [top, seen] = [Math.floor(box.scrollTop / each), Math.ceil((box.clientHeight || 540) / each)];
    const [start, end] = length <= wholeUpTo ? [0, length] : [Math.max(0, top - around), Math.min(length, top + seen + around)];
    if (!anew && start === from && end === to) return;
    [from, to] = [start, end];
    const hadFocus = rows.contains(document.activeElement);
    rows.replaceChildren(...Array.from({ length: end - start }, (_, index) => entry(start + index)));
    if (hadFocus) focusCurrent();
    const real = height();
    rows.style.paddingTop = `${start * real}px`;
    rows.style.paddingBottom = `${(length - end) * real}px`;
  }

  /** @param {number} at */
  function entry(at) {
    const isCurrent = at === current;
    const button = element(
      "button",
      {
        type: "button",
        tabindex: isCurrent ? "0" : "-1",
        "data-current": isCurrent,
        "aria-current": isCurrent ? "true" : undefined,
      },
      element("span", { class: "two-lines", dir: "auto" }, ...row(at)),
    );
    button.addEventListener("click", () => onChoose(at, false));
    return element("li", { "aria-setsize": String(length), "aria-posinset": String(at + 1) }, button);
  }

  function focusCurrent() {
    const button = rows.children[current - from]?.firstElementChild;
    if (button instanceof HTMLElement) button.focus({ preventScroll: true });
  }

  box.addEventListener("scroll", () => draw(), { passive: true });
  new ResizeObserver(() => draw()).observe(box);
  rows.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(box.clientHeight / height()) - 1);
    const ways = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -length, End: length };
    if (!(event.key in ways) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    onChoose(Math.min(length - 1, Math.max(0, current + way)), event.repeat);
    focusCurrent();
  });

  return {
    box,
    /** Another list. @param {number} count @param {number} at the current row */
    show(count, at) {
      [length, current] = [count, at];
      draw(true);
    },
    /** @param {number} at */
    move(at) {
      current = at;
      const each = height();
      const [top, seen] = [at * each, box.clientHeight];
      if (top < box.scrollTop || top + each > box.scrollTop + seen) box.scrollTop = top - seen / 2;
      draw(true);
    },
  };
}
