/** A list of which one entry is shown: filtered, searched, walked through by button and by keyboard. */
import { element } from "./dom.js";

/** @import { Child } from "./dom.js" */

/**
 * @template {{ words: readonly string[] }} Entry `words` are searched; filters and views may need more
 * @typedef {object} Browsed
 * @property {string} noun what an entry is called, such as `Problem`
 * @property {readonly { id: string, name: string, keep: (entry: Entry) => boolean }[]} filters the first one is on at the start
 * @property {() => Entry[]} entries read anew by every `refresh`
 * @property {(entry: Entry) => Child[]} row what the list shows of an entry
 * @property {(entry: Entry) => Node[]} detail the entry in full
 */

/** Entries the list holds at first, and those it gets with every "show more". */
const listStep = 100;

/**
 * Nothing is shown before the first `refresh`, which reads the entries anew and shows the first; `refreshInPlace` stays as far down the list
 * as it was, and `redraw` draws the one shown again.
 * @template {{ words: readonly string[] }} Entry
 * @param {Browsed<Entry>} browsed
 * @returns {{ controls: HTMLElement, columns: HTMLElement, refresh: () => void, refreshInPlace: () => void, redraw: () => void }}
 */
export function browse({ noun, filters, entries, row, detail }) {
  let filter = filters[0];
  let listed = listStep;
  /** @type {Entry[]} those that pass filter and search */
  let found = [];
  let current = 0;

  const search = element("input", { type: "search", placeholder: "in questions and answers", "aria-label": "Search" });
  const buttons = filters.map((candidate) => {
    const button = element("button", { type: "button", "data-filter": candidate.id, "aria-pressed": "false" });
    button.addEventListener("click", () => {
      filter = candidate;
      refresh();
    });
    return button;
  });
  const list = element("ol", { class: "answer-list", "aria-label": `${noun}s` });
  const more = element("button", { type: "button", class: "more" }, "show more");
  const position = element("p", { class: "position", "aria-live": "polite" });
  const previous = element("button", { type: "button", "aria-keyshortcuts": "k" }, "← previous");
  const following = element("button", { type: "button", "aria-keyshortcuts": "j" }, "next →");
  const shown = element("div", { class: "answer-detail" });

  function refresh() {
    const wanted = search.value.trim().toLowerCase();
    const candidates = entries().filter(
      ({ words }) => wanted === "" || words.some((text) => text.toLowerCase().includes(wanted)),
    );
    for (const [index, button] of buttons.entries()) {
      const { name, keep } = filters[index];
      button.textContent = `${name} (${candidates.filter(keep).length})`;
      button.setAttribute("aria-pressed", String(filters[index] === filter));
    }
    found = candidates.filter(filter.keep);
    listed = listStep;
    current = 0;
    showList();
    showCurrent(false);
  }

  function showList() {
    list.replaceChildren(
      ...found.slice(0, listed).map((entry, at) => {
        const button = element("button", { type: "button" }, ...row(entry));
        button.addEventListener("click", () => go(at));
        return element("li", {}, button);
      }),
    );
    more.hidden = listed >= found.length;
  }

  /** @param {boolean} scroll */
  function showCurrent(scroll) {
    for (const [at, place] of [...list.children].entries()) {
      const isCurrent = at === current;
      place.firstElementChild?.toggleAttribute("data-current", isCurrent);
      if (isCurrent) place.firstElementChild?.setAttribute("aria-current", "true");
      else place.firstElementChild?.removeAttribute("aria-current");
      if (isCurrent && scroll && place instanceof HTMLElement) list.scrollTop = place.offsetTop - list.clientHeight / 2;
    }
    previous.disabled = current <= 0;
    following.disabled = current >= found.length - 1;
    position.textContent = found.length === 0 ? `No ${noun.toLowerCase()} matches.` : `${noun} ${current + 1} of ${found.length}`;
    const entry = found[current];
    shown.replaceChildren(...(entry === undefined ? [] : detail(entry)));
  }

  /** @param {number} at */
  function go(at) {
    if (at < 0 || at >= found.length) return;
    current = at;
    if (at >= listed) {
      listed = at + listStep;
      showList();
    }
    showCurrent(true);
  }

  search.addEventListener("input", refresh);
  previous.addEventListener("click", () => go(current - 1));
  following.addEventListener("click", () => go(current + 1));
  more.addEventListener("click", () => {
    listed += listStep;
    showList();
    showCurrent(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    if (event.key === "j") go(current + 1);
    else if (event.key === "k") go(current - 1);
  });

  return {
    controls: element(
      "div",
      { class: "answer-controls" },
      element("div", { class: "filters", role: "group", "aria-label": "Show" }, ...buttons),
      search,
    ),
    columns: element(
      "div",
      { class: "answer-columns" },
      element("div", { class: "answer-index" }, list, more),
      element(
        "div",
        { class: "answer-main" },
        element("div", { class: "walk" }, previous, following, position, element("span", { class: "note hint" }, "keys: j, k")),
        shown,
      ),
    ),
    refresh,
    refreshInPlace() {
      const kept = current;
      refresh();
      go(Math.min(kept, found.length - 1));
    },
    redraw: () => showCurrent(false),
  };
}
