/** The browser of items: two methods (of one run or of two) side by side on one item, filtered, searched, walked through by keyboard. */
import { element, percentText, wholeText } from "./dom.js";
import { traceTree } from "./trace-view.js";
import { wordDiff } from "./word-diff.js";

/** @import { BenchmarkPageData, PageTask, PageTrace } from "../benchmark-page-shape.ts" */
/** @typedef {(left: PageTrace | null, right: PageTrace | null, all: (PageTrace | null)[]) => boolean} ItemFilter */

/** @param {PageTrace | null} answer */
function isRightTrace(answer) {
  return answer !== null && answer.accuracy > 1 - 1e-9;
}

/** @type {{ id: string, name: string, keep: ItemFilter }[]} */
const itemFilters = [
  { id: "all", name: "all", keep: () => true },
  { id: "wrong", name: "right one wrong", keep: (_, right) => right !== null && !isRightTrace(right) },
  { id: "gained", name: "wrong → right", keep: (left, right) => left !== null && !isRightTrace(left) && isRightTrace(right) },
  { id: "lost", name: "right → wrong", keep: (left, right) => right !== null && isRightTrace(left) && !isRightTrace(right) },
  {
    id: "differ",
    name: "answers differ",
    keep: (left, right) =>
      left !== null && right !== null && (left.extracted ?? left.answer).trim() !== (right.extracted ?? right.answer).trim(),
  },
  { id: "errors", name: "failed", keep: (left, right) => left?.error !== undefined || right?.error !== undefined },
  {
    id: "disagree",
    name: "any two disagree",
    keep: (_left, _right, all) => all.some(isRightTrace) && all.some((answer) => answer !== null && !isRightTrace(answer)),
  },
];

const itemStep = 100;

/** Returns how to show another task. @param {HTMLElement} place @param {BenchmarkPageData} data */
export function drawItemBrowser(place, data) {
  let task = data.browser[0];
  let [left, right] = firstPair(task);
  let filter = itemFilters[0];
  let listed = itemStep;
  /** @type {number[]} */
  let found = [];
  let current = 0;
  let marksChanges = true;

  const note = element("p", { class: "note" });
  const search = element("input", { type: "search", placeholder: "in questions and answers", "aria-label": "Search" });
  const buttons = itemFilters.map((candidate) => {
    const button = element("button", { type: "button", "data-filter": candidate.id, "aria-pressed": "false" });
    button.addEventListener("click", () => {
      filter = candidate;
      refresh();
    });
    return button;
  });
  const taskSelect = element("select", {}, ...data.browser.map(({ task: name }) => element("option", { value: name }, name)));
  taskSelect.addEventListener("change", () => showTask(taskSelect.value));
  const choices = element("div", { class: "answer-controls" });
  const list = element("ol", { class: "answer-list", "aria-label": "Items" });
  const more = element("button", { type: "button", class: "more" }, "show more");
  const position = element("p", { class: "position", "aria-live": "polite" });
  const previous = element("button", { type: "button", "aria-keyshortcuts": "k" }, "← previous");
  const following = element("button", { type: "button", "aria-keyshortcuts": "j" }, "next →");
  const marking = element("input", { type: "checkbox", checked: true });
  marking.addEventListener("change", () => {
    marksChanges = marking.checked;
    showCurrent(false);
  });
  const detail = element("div", { class: "answer-detail" });

  /** @param {number} index */
  const pair = (index) => /** @type {const} */ ([task.sets[left].answers[index], task.sets[right].answers[index]]);
  /** @param {number} index */
  const everyAnswer = (index) => task.sets.map((set) => set.answers[index]);

  function refresh() {
    const wanted = search.value.trim().toLowerCase();
    /** @param {number} index */
    const matches = (index) => {
      const { id, question } = task.items[index];
      const words = [id, data.texts[question], ...pair(index).map((answer) => (answer ? data.texts[answer.text] : ""))];
      return wanted === "" || words.some((text) => text.toLowerCase().includes(wanted));
    };
    const candidates = [...task.items.keys()].filter(matches);
    for (const [index, button] of buttons.entries()) {
      const count = candidates.filter((item) => itemFilters[index].keep(...pair(item), everyAnswer(item))).length;
      button.textContent = `${itemFilters[index].name} (${count})`;
      button.setAttribute("aria-pressed", String(itemFilters[index] === filter));
    }
    found = candidates.filter((index) => filter.keep(...pair(index), everyAnswer(index)));
    listed = itemStep;
    current = 0;
    showList();
    showCurrent(false);
  }

  function showList() {
    list.replaceChildren(
      ...found.slice(0, listed).map((index, at) => {
        const [before, after] = pair(index);
        const fate = element("span", { class: "fate" }, `${traceSign(before)}→${traceSign(after)}`);
        const button = element("button", { type: "button" }, fate, beginningOf(data.texts[task.items[index].question]));
        button.addEventListener("click", () => go(at));
        return element("li", {}, button);
      }),
    );
    more.hidden = listed >= found.length;
  }

  /** @param {boolean} scroll */
  function showCurrent(scroll) {
    for (const [at, entry] of [...list.children].entries()) {
      const isCurrent = at === current;
      entry.firstElementChild?.toggleAttribute("data-current", isCurrent);
      if (isCurrent) entry.firstElementChild?.setAttribute("aria-current", "true");
      else entry.firstElementChild?.removeAttribute("aria-current");
      if (isCurrent && scroll && entry instanceof HTMLElement) list.scrollTop = entry.offsetTop - list.clientHeight / 2;
    }
    previous.disabled = current <= 0;
    following.disabled = current >= found.length - 1;
    position.textContent = found.length === 0 ? "No item matches." : `Item ${current + 1} of ${found.length}`;
    const index = found[current];
    detail.replaceChildren(...(index === undefined ? [] : itemDetail(index)));
  }

  /** @param {number} index */
  function itemDetail(index) {
    const item = task.items[index];
    const [before, after] = pair(index);
    const difference =
      marksChanges && before && after && left !== right ? wordDiff(data.texts[before.text], data.texts[after.text]) : undefined;
    const others = task.sets.flatMap((set, at) => {
      const answer = set.answers[index];
      if (answer === null) return [];
      const chip = element(
        "button",
        { type: "button", class: isRightTrace(answer) ? "chip is-right" : "chip is-wrong" },
        `${traceSign(answer)} ${setName(set, data)}`,
      );
      chip.addEventListener("click", () => {
        right = at;
        const kept = current;
        showChoices();
        refresh();
        go(Math.min(kept, found.length - 1));
      });
      return [chip];
    });
    return [
      element(
        "div",
        { class: "question" },
        element("p", {}, data.texts[item.question]),
        element(
          "p",
          { class: "note" },
          `${item.answer === undefined ? "" : `Reference answer: ${item.answer}. `}${item.id}${item.group === undefined ? "" : `, ${item.group}`}.`,
        ),
      ),
      element("div", { class: "chips", role: "group", "aria-label": "Show at the right" }, ...others),
      element(
        "div",
        { class: "pair" },
        traceCard(task.sets[left], before, difference?.left, "removed"),
        traceCard(task.sets[right], after, difference?.right, "added"),
      ),
    ];
  }

  /** @param {PageTask["sets"][number]} set @param {PageTrace | null} answer @param {{ text: string, changed: boolean }[] | undefined} pieces @param {string} kind */
  function traceCard(set, answer, pieces, kind) {
    const title = element("h3", {}, setName(set, data));
    if (answer === null)
      return element("article", { class: "card" }, title, element("p", { class: "note" }, "No answer to this item."));
    const text = data.texts[answer.text];
    const trace = element(
      "details",
      { class: "whole-trace", open: true },
      element("summary", {}, `Trace, ${answer.events.length} ${answer.events.length === 1 ? "event" : "events"}`),
    );
    trace.append(traceTree(answer, data.texts));
    return element(
      "article",
      { class: "card" },
      title,
      element(
        "p",
        { class: `grade ${isRightTrace(answer) ? "is-right" : "is-wrong"}` },
        `${traceSign(answer)} ${gradeName(answer)}: `,
        element("strong", {}, answer.extracted ?? "(no answer found)"),
      ),
      element("p", { class: "note" }, traceFacts(answer)),
      answer.error === undefined ? null : element("p", { class: "warning" }, `Failed: ${answer.error}`),
      text === ""
        ? element("p", { class: "note" }, "(empty)")
        : element(
            "div",
            { class: "answer-text" },
            ...(pieces ?? [{ text, changed: false }]).map((piece) =>
              piece.changed ? element(kind === "added" ? "ins" : "del", {}, piece.text) : piece.text,
            ),
          ),
      trace,
    );
  }

  /** @param {number} at */
  function go(at) {
    if (at < 0 || at >= found.length) return;
    current = at;
    if (at >= listed) {
      listed = at + itemStep;
      showList();
    }
    showCurrent(true);
  }

  function showChoices() {
    choices.replaceChildren(
      element("label", { class: "set-choice" }, "task", taskSelect),
      sideSelect("left", left, (chosen) => {
        left = chosen;
        refresh();
      }),
      sideSelect("right", right, (chosen) => {
        right = chosen;
        refresh();
      }),
      element("label", { class: "set-choice" }, marking, "mark differing words"),
    );
  }

  /** @param {string} side @param {number} chosen @param {(index: number) => void} onChoose */
  function sideSelect(side, chosen, onChoose) {
    const options = task.sets.map((set, index) =>
      element("option", { value: String(index), selected: index === chosen }, setName(set, data)),
    );
    const select = element("select", { "data-side": side }, ...options);
    select.addEventListener("change", () => onChoose(Number(select.value)));
    return element("label", { class: "set-choice" }, side, select);
  }

  /** @param {string} name */
  function showTask(name) {
    const chosen = data.browser.find((candidate) => candidate.task === name);
    if (!chosen) return;
    task = chosen;
    taskSelect.value = name;
    [left, right] = firstPair(task);
    note.textContent = task.note;
    showChoices();
    refresh();
  }

  search.addEventListener("input", refresh);
  previous.addEventListener("click", () => go(current - 1));
  following.addEventListener("click", () => go(current + 1));
  more.addEventListener("click", () => {
    listed += itemStep;
    showList();
    showCurrent(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    if (event.key === "j") go(current + 1);
    else if (event.key === "k") go(current - 1);
  });

  place.append(
    note,
    choices,
    element(
      "div",
      { class: "answer-controls" },
      element("div", { class: "filters", role: "group", "aria-label": "Show" }, ...buttons),
      search,
    ),
    element(
      "div",
      { class: "answer-columns" },
      element("div", { class: "answer-index" }, list, more),
      element(
        "div",
        { class: "answer-main" },
        element("div", { class: "walk" }, previous, following, position, element("span", { class: "note hint" }, "keys: j, k")),
        detail,
      ),
    ),
  );
  showTask(task.task);
  return showTask;
}

/** As much of a question as two lines of the list hold. @param {string} text */
function beginningOf(text) {
  const line = text.slice(0, 400).replace(/\s+/g, " ").trim();
  return line.length <= 56 ? line : `${line.slice(0, 55)}…`;
}

/** Plain answers left; right the next method, or the same one of the second run. @param {PageTask} task @returns {[number, number]} */
function firstPair({ sets }) {
  const other = sets.findIndex((set) => set.run > 0 && set.method === sets[0].method);
  return [0, other > 0 ? other : Math.min(1, sets.length - 1)];
}

/** @param {PageTask["sets"][number]} set @param {BenchmarkPageData} data */
function setName({ run, method, oracle }, data) {
  return `${data.runs.length > 1 ? `${data.runs[run].label}: ` : ""}${method}${oracle ? " †" : ""}`;
}

/** @param {PageTrace | null} answer */
function traceSign(answer) {
  if (answer === null) return "·";
  if (answer.error !== undefined) return "!";
  if (isRightTrace(answer)) return "✓";
  return answer.accuracy > 0 ? "◐" : "✗";
}

/** @param {PageTrace} answer */
function gradeName(answer) {
  if (isRightTrace(answer))
    return answer.strictAccuracy !== undefined && answer.strictAccuracy < 1 ? "right, not in the form asked for" : "right";
  return answer.accuracy > 0 ? `partly right (${percentText(answer.accuracy, 0)})` : "wrong";
}

/** @param {PageTrace} answer */
function traceFacts({ calls, inputTokens, outputTokens, seconds, reason, status }) {
  const facts = [
    `${calls} ${calls === 1 ? "call" : "calls"}`,
    outputTokens === undefined
      ? "tokens unknown"
      : `${wholeText(outputTokens)} tokens sampled, ${inputTokens === undefined ? "?" : wholeText(inputTokens)} in prompts`,
    seconds === undefined ? "" : `${seconds.toFixed(1)} s`,
    reason === "done" ? "" : `ended: ${reason}`,
    status === undefined ? "" : `grading: ${status}`,
  ];
  return `${facts.filter((fact) => fact !== "").join(", ")}.`;
}
