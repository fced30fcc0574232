/** The browser of answers: two sets side by side, filtered, searched and walked through by keyboard. */
import { answerText } from "./answer-text.js";
import { element, percentText } from "./dom.js";

/** @import { PageAnswer, PageData } from "../report-data.ts" */

/** @param {PageAnswer | null} answer */
function isRight(answer) {
  return answer !== null && answer.accuracy > 1 - 1e-9;
}

/** @typedef {(left: PageAnswer | null, right: PageAnswer | null) => boolean} Filter */

/** @type {{ id: string, name: string, keep: Filter }[]} */
const filters = [
  { id: "all", name: "all", keep: () => true },
  {
    id: "gained",
    name: "wrong → right",
    keep: (left, right) => left !== null && right !== null && !isRight(left) && isRight(right),
  },
  { id: "lost", name: "right → wrong", keep: (left, right) => right !== null && isRight(left) && !isRight(right) },
  { id: "refined", name: "refined", keep: (_, right) => right !== null && right.refinements > 0 },
  { id: "malformed", name: "malformed", keep: (_, right) => right !== null && right.verdict !== "ok" },
];

const listStep = 100;

/** @param {HTMLElement} place @param {PageData} data */
export function drawAnswers(place, data) {
  let [left, right] = data.compare;
  let filter = filters[0];
  let listed = listStep;
  /** @type {number[]} indices of the items that pass filter and search */
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
  const list = element("ol", { class: "answer-list", "aria-label": "Problems" });
  const more = element("button", { type: "button", class: "more" }, "show more");
  const position = element("p", { class: "position", "aria-live": "polite" });
  const previous = element("button", { type: "button", "aria-keyshortcuts": "k" }, "← previous");
  const following = element("button", { type: "button", "aria-keyshortcuts": "j" }, "next →");
  const detail = element("div", { class: "answer-detail" });

  /** @param {number} index */
  const pair = (index) => /** @type {const} */ ([data.sets[left].answers[index], data.sets[right].answers[index]]);

  function refresh() {
    const wanted = search.value.trim().toLowerCase();
    /** @param {number} index */
    const matches = (index) =>
      wanted === "" ||
      [data.items[index].question, data.items[index].id, ...pair(index).map((answer) => answer?.text ?? "")].some((text) =>
        text.toLowerCase().includes(wanted),
      );
    const candidates = data.items
      .map((_, index) => index)
      .filter((index) => pair(index).some((answer) => answer !== null) && matches(index));
    for (const [index, button] of buttons.entries()) {
      const count = candidates.filter((item) => filters[index].keep(...pair(item))).length;
      button.textContent = `${filters[index].name} (${count})`;
      button.setAttribute("aria-pressed", String(filters[index] === filter));
    }
    found = candidates.filter((index) => filter.keep(...pair(index)));
    listed = listStep;
    current = 0;
    showList();
    showCurrent(false);
  }

  function showList() {
    list.replaceChildren(
      ...found.slice(0, listed).map((index, at) => {
        const [before, after] = pair(index);
        const button = element(
          "button",
          { type: "button" },
          element("span", { class: "fate" }, `${sign(before)}→${sign(after)}`),
          data.items[index].question,
        );
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
    position.textContent = found.length === 0 ? "No problem matches." : `Problem ${current + 1} of ${found.length}`;
    const index = found[current];
    if (index === undefined) {
      detail.replaceChildren();
      return;
    }
    const item = data.items[index];
    const [before, after] = pair(index);
    detail.replaceChildren(
      element(
        "div",
        { class: "question" },
        element("p", {}, item.question),
        element(
          "p",
          { class: "note" },
          `Reference answer: ${item.answer}. ${item.id}${item.group === undefined ? "" : `, ${item.group}`}.`,
        ),
      ),
      element("div", { class: "pair" }, answerCard(data.sets[left].label, before), answerCard(data.sets[right].label, after)),
    );
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

  place.append(
    element(
      "div",
      { class: "answer-controls" },
      element("div", { class: "filters", role: "group", "aria-label": "Show" }, ...buttons),
      search,
    ),
    element(
      "div",
      { class: "answer-controls" },
      setChoice("left", left, data, (chosen) => {
        left = chosen;
        refresh();
      }),
      setChoice("right", right, data, (chosen) => {
        right = chosen;
        refresh();
      }),
    ),
    key(),
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
  refresh();
}

/** @param {string} side @param {number} chosen @param {PageData} data @param {(index: number) => void} onChoose */
function setChoice(side, chosen, data, onChoose) {
  const select = element(
    "select",
    { "data-side": side },
    ...data.sets.map(({ label }, index) => element("option", { value: String(index), selected: index === chosen }, label)),
  );
  select.addEventListener("change", () => onChoose(Number(select.value)));
  return element("label", { class: "set-choice" }, side, select);
}

/** @param {PageAnswer | null} answer */
function sign(answer) {
  if (answer === null) return "·";
  if (isRight(answer)) return "✓";
  return answer.accuracy > 0 ? "◐" : "✗";
}

/** @param {string} label @param {PageAnswer | null} answer */
function answerCard(label, answer) {
  const title = element("h3", {}, label);
  if (answer === null)
    return element("article", { class: "card" }, title, element("p", { class: "note" }, "No answer in this set."));
  const grade = isRight(answer) ? "right" : answer.accuracy > 0 ? `partly right (${percentText(answer.accuracy, 0)})` : "wrong";
  const facts = [
    `${answer.refinements} ${answer.refinements === 1 ? "refinement" : "refinements"}`,
    answer.tokens === undefined ? undefined : `${answer.tokens} tokens`,
  ].filter((fact) => fact !== undefined);
  return element(
    "article",
    { class: "card" },
    title,
    element(
      "p",
      { class: `grade ${isRight(answer) ? "is-right" : "is-wrong"}` },
      `${sign(answer)} ${grade}: `,
      element("strong", {}, answer.answer || "(no answer)"),
    ),
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
