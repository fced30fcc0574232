/** The few numbers worth watching while a model trains. */
import { fixed, percentSign } from "#text/numbers.ts";
import type { PolicyGradientMetrics } from "#training/policy/policy-metrics.ts";
import type { SupervisedMetrics } from "#training/supervised/supervised.ts";

export function pasrFigures(metrics: PolicyGradientMetrics): Record<string, string> {
  return {
    reward: fixed(metrics.reward, 2),
    refined: percentSign(metrics.accuracyRefined, 0),
    plain: percentSign(metrics.accuracyPlain, 0),
    refinements: fixed(metrics.refinements, 2),
    "tokens/s": String(Math.round(metrics.timing.tokensPerSecond)),
  };
}

export function supervisedFigures(metrics: SupervisedMetrics): Record<string, string> {
  return { loss: fixed(metrics.loss, 4), "tokens/s": String(Math.round(metrics.timing.tokensPerSecond)) };
}
