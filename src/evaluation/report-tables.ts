/** The report's tables: every method's figures, and the paired comparisons. */
import { dollars, formatP, percentTogether, points, whole } from "#text/numbers.ts";
import { type Html, html } from "./report/report-html.ts";
import { focusOf } from "./report/report-words.ts";
import type { MethodResult, ResamplingResult, Results } from "./results.ts";

const usualNotes: Record<string, string> = {
  vanilla: "untrained, one plain answer",
  "pasr-prompt": "untrained, asked to refine",
  "self-refine-1": "untrained, one round of feedback",
  "self-refine-3": "untrained, three rounds of feedback",
  "self-consistency": "untrained, vote over samples",
  pasr: "trained to refine",
};

export function resultsTable(results: Results, methodNotes: Readonly<Record<string, string>> = {}): Html {
  const notes = { ...usualNotes, ...methodNotes };
  const focus = focusOf(results);
  return html`<p class="note">${results.items} problems, temperature ${results.temperature}. Accuracy with its 95&nbsp;% interval; tokens are sampled ones, drafts and feedback included.</p>
<div class="scroll" role="region" aria-label="Results, scrollable" tabindex="0"><table class="results-table" aria-label="Results at temperature ${results.temperature}">
<thead><tr>
<th scope="col">method</th><th scope="col">accuracy</th><th scope="col">tokens per answer</th><th scope="col">calls</th>
<th scope="col">right → wrong</th><th scope="col">wrong → right</th><th scope="col">refine­ments</th>
<th scope="col">tokens per correct answer</th><th scope="col">voting at equal tokens</th>
</tr></thead>
<tbody>${results.methods.map((method) => methodRow(method, notes[method.id], results, method === focus))}</tbody></table></div>`;
}

function methodRow(method: MethodResult, note: string | undefined, results: Results, isFocus: boolean): Html {
  const { interval, callsPerAnswer, refinementsPerAnswer, failures, tokensPerCorrect, costPerCorrect } = method;
  const transition = (share: number) => (method.id === results.baseline ? "–" : percentTogether(share));
  return html`<tr${isFocus ? html` class="focus"` : html``}>
<th scope="row">${method.id}${note === undefined ? html`` : html` <small>${note}</small>`}${failures > 0 ? html` <small>(${failures} failed)</small>` : html``}</th>
<td><strong>${percentTogether(method.accuracy)}</strong> <small>${percentTogether(interval[0])} – ${percentTogether(interval[1])}</small></td>
<td>${whole(method.tokensPerAnswer)} <small>${whole(method.allTokensPerAnswer)} with prompts</small></td>
<td>${callsPerAnswer.toFixed(callsPerAnswer % 1 === 0 ? 0 : 1)}</td>
<td>${transition(method.rightToWrong)}</td><td>${transition(method.wrongToRight)}</td>
<td>${refinementsPerAnswer.toFixed(2)}</td>
<td>${whole(tokensPerCorrect)}${costPerCorrect === undefined ? html`` : html` <small>${dollars(costPerCorrect)}</small>`}</td>
<td>${resamplingCell(method.resampling?.generated)}</td></tr>`;
}

function resamplingCell(result: ResamplingResult | undefined): Html {
  if (!result) return html`–`;
  const { accuracyAtSameTokens, samples, difference, outside } = result;
  const limit = outside === "above" ? "≥ " : outside === "below" ? "< " : "";
  const title = `${limit}${samples.toFixed(1)} plain samples; the method is ${points(difference)} points apart`;
  return html`<span title="${title}">${percentTogether(accuracyAtSameTokens)} <small>${limit}${samples.toFixed(1)} samples</small></span>`;
}

export function comparisonsTable(results: Results): Html {
  const rows = results.comparisons.map(({ a, b, difference, interval, pValue, pHolm, test, items }) => {
    const [low, high] = interval;
    const verdict = low > 0 ? `${a} is better` : high < 0 ? `${b} is better` : "not clear";
    return html`<tr><th scope="row">${a} − ${b}</th><td><strong>${points(difference)}</strong></td>
<td class="together">${points(low)} to ${points(high)}</td><td>${formatP(pValue)}</td><td>${formatP(pHolm)}</td><td>${test === "mcnemar" ? "McNemar, exact" : "sign flips"}</td><td>${items}</td><td>${verdict}</td></tr>`;
  });
  return html`<p class="note">Differences of accuracy in percentage points, paired by problem; bootstrap intervals over problems (95&nbsp;%), p corrected for all rows by Holm's method.</p>
<div class="scroll" role="region" aria-label="Comparisons, scrollable" tabindex="0"><table class="comparisons-table" aria-label="Comparisons at temperature ${results.temperature}">
<thead><tr><th scope="col">comparison</th><th scope="col">difference</th><th scope="col">interval</th><th scope="col">p</th>
<th scope="col">p, corrected</th><th scope="col">test</th><th scope="col">problems</th><th scope="col">reading</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
