/** What the page carries packed (JSON, gzip, base64): the index of each task at once, traces part by part when they are looked at. */

/** @import { PageIndex, PageItem, PagePart } from "../report/page-shape.ts" */
/** @typedef {{ first: number, part: PagePart }} Placed a part and how many items stand before it */

/** Why the packed part cannot be read at all; undefined where it can. */
export const cannotUnpack =
  typeof DecompressionStream === "undefined"
    ? "This browser cannot unpack the items and traces of this page: it has no DecompressionStream. Chrome and Edge from 80, Safari from 16.4 and Firefox from 113 have it."
    : undefined;

/** A page that was cut short, or changed on its way, says so. @param {Element} place */
async function unpack(place) {
  try {
    return await unpacked(place);
  } catch (cause) {
    throw new Error("A part of this page cannot be unpacked: the file was cut short or changed. Make the report again.", {
      cause,
    });
  }
}

/** @param {Element} place */
async function unpacked(place) {
  const packed = atob(place.textContent ?? "");
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = packed.charCodeAt(at);
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

/** One for each task of the page's browser. @returns {Promise<PageIndex[]>} */
export function readIndexes() {
  return Promise.all([...document.querySelectorAll("script[data-index]")].map(unpack));
}

/** Parts kept unpacked, the one last used at the end. */
const mostKept = 4;

export class Parts {
  #list;
  /** @type {Map<Element, Placed>} */
  #kept = new Map();

  /** @param {number} list which task's */
  constructor(list) {
    this.#list = list;
  }

  /** An item that is at hand. @param {number} item @returns {{ item: PageItem, texts: string[] } | undefined} */
  peek(item) {
    for (const [place, { first, part }] of this.#kept) {
      if (item < first || item >= first + part.items.length) continue;
      this.#keep(place, { first, part });
      return { item: part.items[item - first], texts: part.texts };
    }
    return undefined;
  }

  /** @param {number} item */
  async read(item) {
    for (;;) {
      const places = this.#places();
      const place = places.findLast(({ dataset }) => Number(dataset.first) <= item);
      // The last of the list may have others behind it that the browser has not read yet.
      if (place && (place !== places[places.length - 1] || place.nextElementSibling || isWhole())) {
        const placed = this.#kept.get(place) ?? { first: Number(place.dataset.first), part: await unpack(place) };
        this.#keep(place, placed);
        const found = this.peek(item);
        if (found) return found;
      }
      if (isWhole())
        throw new Error("The traces of this item are not in this page: the file was cut short. Make the report again.");
      await pause(20);
    }
  }

  /** Every part in order, each let go again. */
  async *all() {
    for (let at = 0; ; at++) {
      while (!isWhole() && this.#places().length <= at + 1) await pause(20);
      const place = this.#places()[at];
      if (!place) return;
      yield this.#kept.get(place) ?? { first: Number(place.dataset.first), part: /** @type {PagePart} */ (await unpack(place)) };
    }
  }

  /** @type {HTMLElement[] | undefined} */
  #all;

  #places() {
    if (this.#all) return this.#all;
    const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(`script[data-part="${this.#list}"]`)]);
    if (isWhole()) this.#all = places;
    return places;
  }

  /** @param {Element} place @param {Placed} placed */
  #keep(place, placed) {
    this.#kept.delete(place);
    this.#kept.set(place, placed);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= mostKept) return;
      this.#kept.delete(oldest);
    }
  }
}

function isWhole() {
  return document.readyState !== "loading";
}

/** @param {number} milliseconds @returns {Promise<void>} */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
