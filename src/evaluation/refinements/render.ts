/** The section on refinements: Markdown for files and terminals, and HTML that brings its own style and loads nothing. */

import { escapeMarkdown, markdownTable } from "#text/markdown.ts";
import { type Html, html } from "../report/html.ts";
import { type AnalysedRow, type AnalysisTable, analysisTables, nameOf, shareOf, typeWords } from "./tables.ts";
import { type RefinementType, refinementTypes } from "./text.ts";

export type { AnalysedRow } from "./tables.ts";

const nothing = "No answers were analysed.";

/** Starts with a heading of the second level and ends with a line break. */
export function refinementAnalysisMarkdown(analyses: readonly AnalysedRow[]): string {
  const tables = analysisTables(analyses).map(({ title, note, head, rows }) =>
    [
      `### ${title}`,
      note,
      markdownTable(
        head,
        rows.map((cells) => cells.map(escapeMarkdown)),
      ),
    ].join("\n\n"),
  );
  return `${["## Refinements", ...(tables.length === 0 ? [nothing] : tables)].join("\n\n")}\n`;
}

/** A fragment without a heading of its own, for a section of a page that names it; `.text` is the markup. */
export function refinementAnalysisHtml(analyses: readonly AnalysedRow[]): Html {
  if (analyses.length === 0) return html`<p>${nothing}</p>`;
  const [kinds, ...others] = analysisTables(analyses).map(htmlTable);
  return html`<div class="refinement-analysis"><style>${style}</style>
${bars(analyses)}
${kinds}
${others}
</div>`;
}

function htmlTable({ title, note, head, rows }: AnalysisTable): Html {
  return html`<h3>${title}</h3><p class="about">${note}</p>
<div class="wide" role="region" aria-label="${title}, scrollable" tabindex="0"><table aria-label="${title}">
<thead><tr>${head.map((name) => (name === "" ? html`<td></td>` : html`<th scope="col">${name}</th>`))}</tr></thead>
<tbody>${rows.map(([name = "", ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** One bar a row, its length all of the row's refinements. Every number in it stands in the table below as well. */
function bars(analyses: readonly AnalysedRow[]): Html {
  const legend = refinementTypes.map((type) => html`<li><span class="swatch ${classOf(type)}"></span>${typeWords[type]}</li>`);
  return html`<ul class="legend">${legend}</ul>
<div class="bars">${analyses.map((row) => html`<div class="bar-name">${nameOf(row)}</div>${bar(row)}`)}</div>`;
}

function bar({ analysis: { refinements: counts } }: AnalysedRow): Html {
  const total = counts.refinements;
  if (total === 0) return html`<div class="bar-empty">no refinements</div>`;
  let from = 0;
  const parts = refinementTypes.flatMap((type) => {
    const count = counts.types[type];
    if (count === 0) return [];
    const width = (count / total) * 100;
    const left = from;
    from += width;
    return [
      html`<rect class="${classOf(type)}" x="${left.toFixed(3)}" y="0" width="${width.toFixed(3)}" height="10"><title>${typeWords[type]}: ${count} of ${total}</title></rect>`,
    ];
  });
  const words = refinementTypes
    .filter((type) => counts.types[type] > 0)
    .map((type) => `${typeWords[type]} ${shareOf(counts.types[type], total)}`);
  return html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="Of ${total} refinements: ${words.join(", ")}">${parts}</svg>`;
}

function classOf(type: RefinementType): string {
  return `kind-${refinementTypes.indexOf(type) + 1}`;
}

/** Holds no quotes and no angle brackets, so that escaping leaves it as it is. Colours follow the page's scheme, light where it has none. */
const style = `
.refinement-analysis { --kind-1: light-dark(#17803f, #4cc38a); --kind-2: light-dark(#c0760a, #ffb45e); --kind-3: light-dark(#b3372b, #ff8a75);
  --kind-4: light-dark(#2563c9, #7fb0ff); --kind-5: light-dark(#b7bfca, #5b6675); --kind-6: light-dark(#8a3ab9, #cfa2ff); --kind-7: light-dark(#3d4653, #cfd6df); }
.refinement-analysis .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.5rem 0; padding: 0; list-style: none; font-size: 0.85rem; }
.refinement-analysis .swatch { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; border-radius: 2px; }
.refinement-analysis .bars { display: grid; grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr); gap: 0.35rem 0.8rem; align-items: center; max-width: 60rem; font-size: 0.9rem; }
.refinement-analysis .bar-name { overflow-wrap: anywhere; max-width: 16rem; }
.refinement-analysis .bar-empty { opacity: 0.7; }
.refinement-analysis svg { display: block; width: 100%; height: 1.1rem; }
.refinement-analysis .about { max-width: 60rem; font-size: 0.85rem; opacity: 0.8; }
.refinement-analysis .wide { overflow-x: auto; }
.refinement-analysis table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
.refinement-analysis th, .refinement-analysis td { padding: 0.35rem 0.6rem; border-bottom: 1px solid light-dark(#d9dee6, #39414d); text-align: right; vertical-align: bottom; white-space: nowrap; }
.refinement-analysis thead th { min-width: 4.5rem; white-space: normal; font-size: 0.82rem; }
.refinement-analysis tbody th { text-align: left; font-weight: 500; }
${refinementTypes.map((_, index) => `.refinement-analysis .kind-${index + 1} { fill: var(--kind-${index + 1}); background: var(--kind-${index + 1}); }`).join("\n")}
`;
