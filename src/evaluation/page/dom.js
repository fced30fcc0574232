/** Elements from names and text. Text is always text: nothing here, or anywhere in the page, parses markup. */

/** @typedef {Node | string | number | null | undefined} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | boolean | undefined>} [attributes] true sets an empty attribute; false and undefined leave it out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(
    ...children
      .filter((child) => child !== null && child !== undefined)
      .map((child) => (child instanceof Node ? child : String(child))),
  );
  return made;
}

/** @param {string} id */
export function byId(id) {
  return document.getElementById(id);
}

// Figures as src/text/numbers.ts writes them, which a page cannot import; a test holds the two together.

/** What rounds to nothing has no minus. @param {number} value @param {string} size */
function withMinus(value, size) {
  return value < 0 && /[1-9]/.test(size) ? `−${size}` : size;
}

/** @param {number} share @param {number} [digits] */
export function percentText(share, digits = 1) {
  return `${withMinus(share, Math.abs(share * 100).toFixed(digits))}\u00a0%`;
}

/** @param {number} value */
export function wholeText(value) {
  return withMinus(value, Math.round(Math.abs(value)).toLocaleString("en-GB"));
}

/** At most four significant figures. @param {number} value */
export function shortText(value) {
  if (Math.abs(value) >= 1000) return wholeText(value);
  return withMinus(value, String(Number(Math.abs(value).toPrecision(3))));
}
