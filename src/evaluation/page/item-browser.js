/** The browser of items: all of a task, filtered, ordered, searched; two methods (of one run or of two) side by side on the one chosen. */
import { addressNow, inAddress, noteMove, noteStep } from "./address.js";
import { choiceOf, gradeSignOf, sideChoices } from "./answer-parts.js";
import { element, wholeText } from "./dom.js";
import { itemDetail, setName } from "./item-detail.js";
import { filterItems, flagsOf, itemFilters, itemOrders, orderItems } from "./item-order.js";
import { Parts } from "./packed.js";
import { searchTraces } from "./trace-search.js";
import { virtualList } from "./virtual-list.js";

/** @import { PageData, PageIndex } from "../report/page-shape.ts" */

/** Milliseconds between two looks at what a search has found so far. */
const searchStep = 150;

/**
 * Returns how to show another task.
 * @param {HTMLElement} place @param {PageData} data @param {readonly PageIndex[]} indexes
 */
export function drawItemBrowser(place, data, indexes) {
  const parts = data.browser.map((_, list) => new Parts(list));
  let list = 0;
  /** @type {[left: number, right: number]} sets shown */
  let sides = [...data.browser[0].first];
  let filter = "all";
  let order = "name";
  /** @type {number[]} items that pass filter and search, in order */
  let listed = [];
  /** @type {number | undefined} */
  let current;
  /** Items that the search has found; undefined where nothing is searched for. @type {Set<number> | undefined} */
  let hits;
  let searching = new AbortController();
  let running = false;
  let wholeTraces = true;
  /** What an address asks for, until the search has come to it or the reader chooses. @type {number | undefined} */
  let awaited;

  const note = element("p", { class: "note" });
  const choices = element("div", { class: "answer-controls" });
  const marking = element("input", { type: "checkbox", checked: true });
  const search = element("input", { type: "search", placeholder: "in whole traces", "aria-label": "Search" });
  const within = element("span", { class: "search-in" });
  const stop = element("button", { type: "button", hidden: true }, "stop the search");
  const progress = element("p", { class: "note search-progress", role: "status" });
  const buttons = itemFilters.map(({ id }) => {
    const button = element("button", { type: "button", "data-filter": id, "aria-pressed": "false" });
    button.addEventListener("click", () => {
      filter = id;
      showList();
      noteStep();
    });
    return button;
  });
  const position = element("p", { class: "position", "aria-live": "polite" });
  const link = element("a", { class: "permalink" }, "address of this view");
  const previous = element("button", { type: "button", "aria-keyshortcuts": "k" }, "← previous");
  const following = element("button", { type: "button", "aria-keyshortcuts": "j" }, "next →");
  const shown = element("div", { class: "answer-detail", "aria-busy": "false" });
  const rows = virtualList({
    label: "Items",
    row,
    onChoose: (at, repeated) => go(at, repeated),
  });

  /** @param {number} at */
  function row(at) {
    const item = listed[at];
    const { sets, questions } = indexes[list];
    const [left, right] = sides.map((set) => signOf(sets[set].flags[item]));
    return [element("span", { class: "fate" }, `${left}→${right}`), questions[item].replace(/\s+/g, " ").trim()];
  }

  /**
   * @param {number} [wanted] the item to show; the first of the list when left out
   * @param {boolean} [quiet] the reader may be reading: what is shown, and where the list stands, stay if the item does
   */
  function showList(wanted, quiet = false) {
    const before = current;
    const kept = filterItems(indexes[list], sides, (item) => hits === undefined || hits.has(item));
    for (const [index, button] of buttons.entries()) {
      const { id, name } = itemFilters[index];
      button.textContent = `${name} (${wholeText(kept[id].length)})`;
      button.setAttribute("aria-pressed", String(id === filter));
    }
    listed = orderItems(kept[filter], indexes[list], sides, order);
    const found = wanted === undefined ? -1 : listed.indexOf(wanted);
    current = listed[Math.max(0, found)];
    rows.show(listed.length, Math.max(0, found));
    if (quiet && current === before) return showPosition();
    rows.move(Math.max(0, found));
    void showCurrent();
  }

  function showPosition() {
    const at = current === undefined ? -1 : listed.indexOf(current);
    previous.disabled = at <= 0;
    following.disabled = at >= listed.length - 1;
    const none = running ? "No item matches so far." : "No item matches.";
    position.textContent = at < 0 ? none : `Item ${wholeText(at + 1)} of ${wholeText(listed.length)}`;
    link.href = addressNow();
    link.hidden = at < 0;
  }

  let turn = 0;
  async function showCurrent() {
    const own = ++turn;
    showPosition();
    const item = current;
    if (item === undefined) {
      shown.setAttribute("aria-busy", "false");
      return shown.replaceChildren();
    }
    let found = parts[list].peek(item);
    if (!found) {
      shown.setAttribute("aria-busy", "true");
      try {
        found = await parts[list].read(item);
      } catch (error) {
        if (own !== turn) return;
        shown.setAttribute("aria-busy", "false");
        return shown.replaceChildren(element("p", { class: "warning" }, messageOf(error)));
      }
      if (own !== turn) return;
    }
    const { ids, groups } = indexes[list];
    const detail = itemDetail({
      ...{ data, task: data.browser[list], id: ids[item], group: groups[item], ...found },
      ...{ sides, marking: marking.checked },
      onChoose(set) {
        sides[1] = set;
        showChoices();
        showList(current);
        noteStep();
      },
    });
    shown.replaceChildren(...detail);
    shown.setAttribute("aria-busy", "false");
  }

  /** @param {number} at @param {boolean} [repeated] */
  function go(at, repeated = false) {
    if (at < 0 || at >= listed.length) return;
    awaited = undefined;
    current = listed[at];
    rows.move(at);
    void showCurrent();
    if (repeated) noteMove();
    else noteStep();
  }

  const step = (/** @type {number} */ way, repeated = false) =>
    current !== undefined && go(listed.indexOf(current) + way, repeated);

  /** Looks for what stands in the field, anew. @param {number} [wanted] the item to show */
  function startSearch(wanted) {
    searching.abort();
    searching = new AbortController();
    stop.hidden = true;
    progress.textContent = "";
    const text = search.value.trim().toLowerCase();
    hits = text === "" ? undefined : new Set();
    running = hits !== undefined;
    const { ids, groups } = indexes[list];
    for (const [item, id] of hits ? ids.entries() : []) {
      if (`${id} ${groups[item] ?? ""}`.toLowerCase().includes(text)) hits?.add(item);
    }
    awaited = wanted;
    showList(wanted);
    if (hits !== undefined) void runSearch(text, hits, searching);
  }

  /** @param {string} text @param {Set<number>} found @param {AbortController} own */
  async function runSearch(text, found, own) {
    const total = indexes[list].ids.length;
    let [drawn, drawnHits, done] = [performance.now(), found.size, 0];
    const redraw = () => {
      if (found.size !== drawnHits || listed.length === 0) showList(awaited ?? current, true);
      [drawn, drawnHits] = [performance.now(), found.size];
    };
    own.signal.addEventListener("abort", () => {
      if (own === searching) progress.textContent = `Stopped after ${wholeText(done)} of ${wholeText(total)} items.`;
    });
    const searched = searchTraces({
      parts: parts[list],
      wanted: text,
      sides: wholeTraces ? undefined : sides,
      onFound: (item) => found.add(item),
      onProgress(items) {
        done = items;
        if (performance.now() - drawn < searchStep) return;
        stop.hidden = false;
        progress.textContent = `Searched ${wholeText(done)} of ${wholeText(total)} items, ${wholeText(found.size)} found …`;
        redraw();
      },
      signal: own.signal,
    });
    const failure = await searched.catch((error) => error);
    if (own !== searching) return;
    stop.hidden = true;
    running = false;
    if (failure) progress.textContent = `Searched ${wholeText(done)} of ${wholeText(total)} items. ${messageOf(failure)}`;
    else if (!own.signal.aborted)
      progress.textContent = `Searched all ${wholeText(total)} items: ${wholeText(found.size)} found.`;
    redraw();
  }

  function showChoices() {
    const names = data.browser[list].sets.map((set) => setName(set, data));
    const whole = choiceOf("search in", ["whole traces", "questions and the two answers"], wholeTraces ? 0 : 1, (chosen) => {
      wholeTraces = chosen === 0;
      search.placeholder = wholeTraces ? "in whole traces" : "in questions and answers";
      startSearch(current);
      noteStep();
    });
    within.replaceChildren(whole);
    choices.replaceChildren(
      choiceOf(
        "task",
        data.browser.map(({ task }) => task),
        list,
        (chosen) => {
          show(chosen);
          noteStep();
        },
      ),
      ...sideChoices(names, sides, () => {
        if (hits !== undefined && !wholeTraces) startSearch(current);
        else showList();
        noteStep();
      }),
      choiceOf(
        "order",
        itemOrders.map(({ name }) => name),
        itemOrders.findIndex(({ id }) => id === order),
        (chosen) => {
          order = itemOrders[chosen].id;
          showList();
          noteStep();
        },
      ),
      element("label", { class: "set-choice" }, marking, "mark differing words"),
    );
  }

  /** @param {number} chosen */
  function show(chosen) {
    list = chosen;
    sides = [...data.browser[list].first];
    note.textContent = data.browser[list].note;
    showChoices();
    startSearch();
  }

  marking.addEventListener("change", () => {
    void showCurrent();
    noteStep();
  });
  search.addEventListener("input", () => {
    startSearch();
    noteMove();
  });
  stop.addEventListener("click", () => searching.abort());
  previous.addEventListener("click", () => step(-1));
  following.addEventListener("click", () => step(1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    if (event.key === "j") step(1, event.repeat);
    else if (event.key === "k") step(-1, event.repeat);
  });

  /** A set by run and method, as it stands in the address. @param {number} set */
  const setAddress = (set) => {
    const { run, method } = data.browser[list].sets[set];
    return data.runs.length > 1 ? `${run + 1}:${method}` : method;
  };
  inAddress({
    write(fields) {
      const { task, first } = data.browser[list];
      if (data.browser.length > 1) fields.set("task", task);
      if (sides[0] !== first[0]) fields.set("left", setAddress(sides[0]));
      if (sides[1] !== first[1]) fields.set("right", setAddress(sides[1]));
      if (filter !== "all") fields.set("filter", filter);
      if (order !== "name") fields.set("order", order);
      if (search.value.trim() !== "") fields.set("search", search.value.trim());
      if (!wholeTraces) fields.set("in", "answers");
      if (!marking.checked) fields.set("differences", "off");
      if (current !== undefined) fields.set("item", indexes[list].ids[current]);
    },
    read(fields) {
      list = Math.max(
        0,
        data.browser.findIndex(({ task }) => task === fields.get("task")),
      );
      const { first, sets, note: about } = data.browser[list];
      const side = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
        const found = sets.findIndex((_, set) => setAddress(set) === fields.get(name));
        return found < 0 ? otherwise : found;
      };
      sides = [side("left", first[0]), side("right", first[1])];
      filter = itemFilters.find(({ id }) => id === fields.get("filter"))?.id ?? "all";
      order = itemOrders.find(({ id }) => id === fields.get("order"))?.id ?? "name";
      search.value = fields.get("search") ?? "";
      wholeTraces = fields.get("in") !== "answers";
      marking.checked = fields.get("differences") !== "off";
      const id = fields.get("item");
      const item = id === null ? -1 : indexes[list].ids.indexOf(id);
      note.textContent = id !== null && item < 0 ? `${about} The address names the item ${id}, which is not among them.` : about;
      showChoices();
      startSearch(item < 0 ? undefined : item);
    },
  });

  const tagged = data.browser.some((task) => task.tagged);
  place.replaceChildren(
    note,
    choices,
    element(
      "div",
      { class: "answer-controls" },
      element("div", { class: "filters", role: "group", "aria-label": "Show" }, ...buttons),
      search,
      within,
      stop,
      progress,
    ),
    ...(tagged ? [key()] : []),
    element(
      "div",
      { class: "answer-columns" },
      element("div", { class: "answer-index" }, rows.box),
      element(
        "div",
        { class: "answer-main" },
        element(
          "div",
          { class: "walk" },
          previous,
          following,
          position,
          link,
          element("span", { class: "note hint" }, "keys: j, k"),
        ),
        shown,
      ),
    ),
  );
  show(0);
  return (/** @type {string} */ name) => {
    const chosen = data.browser.findIndex(({ task }) => task === name);
    if (chosen >= 0) show(chosen);
  };
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {number} flags */
function signOf(flags) {
  if ((flags & flagsOf.failed) !== 0) return "!";
  return gradeSignOf((flags & flagsOf.given) !== 0, (flags & flagsOf.right) !== 0, (flags & flagsOf.partly) !== 0);
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
