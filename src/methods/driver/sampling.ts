/** The temperature of samples that must differ from one another. */

/** The usual choice of the papers that sample (self-consistency: 0.7). */
export const usualSamplingTemperature = 0.7;

/** The method's own, else the request's, else, because greedy samples are all the same, the usual one. */
export function samplingTemperature(own: number | undefined, requested: number): number {
  return own ?? (requested > 0 ? requested : usualSamplingTemperature);
}
