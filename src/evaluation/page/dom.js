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

/** @param {number} share @param {number} [digits] */
export function percentText(share, digits = 1) {
  return `${(share * 100).toFixed(digits)}\u00a0%`;
}

/** @param {number} value */
export function wholeText(value) {
  return Math.round(value).toLocaleString("en-GB");
}

/** At most four significant figures. @param {number} value */
export function shortText(value) {
  if (Math.abs(value) >= 1000) return wholeText(value);
  return String(Number(value.toPrecision(3)));
}
