/**
 * What the page shows as its address, after the #: task, methods, item, filter, order, search. It can be copied and opened again, and the
 * browser's own buttons go back and forward through it. A plain name there is a place in the page, as everywhere.
 */

/**
 * @typedef {object} Addressed
 * @property {(fields: URLSearchParams) => void} write adds what is not as it was at the start
 * @property {(fields: URLSearchParams) => void} read shows what the fields say; what they leave out is as at the start
 */

/** @type {Addressed[]} */
const addressed = [];

/** Field by field of one address, a part of the page sees to its own. @param {Addressed} part */
export function inAddress(part) {
  addressed.push(part);
}

export function addressNow() {
  const fields = new URLSearchParams();
  for (const { write } of addressed) write(fields);
  return `#${fields}`;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** After the reader has chosen something: a step to go back from. */
export function noteStep() {
  clearTimeout(waiting);
  const address = addressNow();
  if (address !== location.hash) history.pushState(null, "", address);
}

/** While the reader types or holds a key: the address follows when it is quiet, and makes no step of each letter. */
export function noteMove() {
  clearTimeout(waiting);
  waiting = setTimeout(() => history.replaceState(null, "", addressNow()), 300);
}

/** Shows what the address says, now and whenever it changes. Returns whether it says anything now. */
export function followAddress() {
  addEventListener("popstate", () => {
    clearTimeout(waiting);
    // Back at the very start is an address too; a place in the page is none.
    if (location.hash === "" || saysFields()) readAddress();
  });
  if (!saysFields()) return false;
  readAddress();
  return true;
}

function saysFields() {
  return location.hash.includes("=");
}

function readAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  for (const { read } of addressed) read(fields);
}
