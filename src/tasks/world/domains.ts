/**
 * The small world's domains: the sums that models are trained on (chains and stories), and two that training never sees though the base knows
 * them, programs and postfix chains. Held out means that no recipe's questions come from there.
 */
import type { Verifier } from "#kernel/item.ts";
import { numberVerifier } from "#verifiers/answers/number.ts";
import { chainStream, type DomainStream, firstItems, type WorldItem, worldStream } from "./items.ts";
import { drawPostfix, drawProgram } from "./wordings.ts";

export interface WorldDomain {
  id: "sums" | "programs" | "postfix";
  label: string;
  heldOut: boolean;
  /** Endless, without repeated problems; the same for the same seed. */
  stream(stream: DomainStream): Generator<WorldItem>;
  verify: Verifier;
}

export const worldDomains: readonly WorldDomain[] = [
  { id: "sums", label: "sums", heldOut: false, stream: worldStream, verify: numberVerifier() },
  {
    id: "programs",
    label: "programs",
    heldOut: true,
    stream: (stream) => chainStream("programs", stream, drawProgram),
    verify: numberVerifier(),
  },
  {
    id: "postfix",
    label: "postfix",
    heldOut: true,
    stream: (stream) => chainStream("postfix", stream, drawPostfix),
    verify: numberVerifier(),
  },
];

/** The first `count` items of a domain's stream. */
export function domainItems({ stream }: WorldDomain, count: number, options: DomainStream): WorldItem[] {
  return firstItems(count, stream(options));
}
