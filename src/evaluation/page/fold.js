/** Long texts are shown in part until somebody asks for the rest. */
import { element, wholeText } from "./dom.js";

/** Longer texts are folded, and so much of them is shown. */
const [longest, shownPart] = [6000, 4000];

/**
 * @param {string} text
 * @param {(end: number) => Element} show the text up to there
 * @param {number} [from] a place further down that a reader looks for
 */
export function folded(text, show, from) {
  if (text.length <= longest) return show(text.length);
  // Not between the halves of one character.
  const end = /[\ud800-\udbff]/.test(text[shownPart - 1]) ? shownPart - 1 : shownPart;
  const hint = from !== undefined && from >= end ? ": what is marked stands further down" : "";
  const button = element("button", { type: "button", class: "show-all" }, `show all ${wholeText(text.length)} characters${hint}`);
  const holder = element("div", { class: "folded" }, show(end), element("p", { class: "fold-end" }, "…"), button);
  button.addEventListener("click", () => {
    const whole = show(text.length);
    whole.setAttribute("tabindex", "-1");
    holder.replaceChildren(whole);
    if (whole instanceof HTMLElement) whole.focus({ preventScroll: true });
  });
  return holder;
}
