/** The few numbers worth watching while a model trains. */
import type { PolicyGradientMetrics } from "#training/policy/policy-metrics.ts";
import type { SupervisedMetrics } from "#training/supervised/supervised.ts";

export function pasrFigures(metrics: PolicyGradientMetrics): Record<string, string> {
  return {
    reward: fixed(metrics.reward, 2),
    refined: percent(metrics.accuracyRefined),
    plain: percent(metrics.accuracyPlain),
    refinements: fixed(metrics.refinements, 2),
    "tokens/s": String(Math.round(metrics.timing.tokensPerSecond)),
  };
}

export function supervisedFigures(metrics: SupervisedMetrics): Record<string, string> {
  return { loss: fixed(metrics.loss, 4), "tokens/s": String(Math.round(metrics.timing.tokensPerSecond)) };
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? "–" : value.toFixed(digits);
}

function percent(value: number | undefined): string {
  return value === undefined ? "–" : `${(100 * value).toFixed(0)} %`;
}
