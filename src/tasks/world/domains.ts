/**
 * The small world's domains: the sums that models are trained on (chains and stories), and two that training never sees though the base knows
 * them, programs and postfix chains. Held out means that no recipe's questions come from there.
 */
import type { Verifier } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { numberVerifier } from "#verifiers/answers/number.ts";
import { canonicalChain, defaultWorldOptions, isHard, type Split, type Step, splitOf, type WorldOptions } from "./chains.ts";
import { type WorldItem, worldStream } from "./items.ts";
import { drawPostfix, drawProgram } from "./wordings.ts";

export interface DomainStream extends Partial<WorldOptions> {
  split: Split;
  seed: number;
}

export interface WorldDomain {
  id: "sums" | "programs" | "postfix";
  label: string;
  heldOut: boolean;
  /** Endless, without repeated problems; the same for the same seed. */
  stream(stream: DomainStream): Generator<WorldItem>;
  verify: Verifier;
}

interface Drawn {
  steps: readonly Step[];
  question: string;
}

export const worldDomains: readonly WorldDomain[] = [
  { id: "sums", label: "sums", heldOut: false, stream: worldStream, verify: numberVerifier() },
  {
    id: "programs",
    label: "programs",
    heldOut: true,
    stream: (stream) => drawnStream("programs", stream, drawProgram),
    verify: numberVerifier(),
  },
  {
    id: "postfix",
    label: "postfix",
    heldOut: true,
    stream: (stream) => drawnStream("postfix", stream, drawPostfix),
    verify: numberVerifier(),
  },
];

/** The first `count` items of a domain's stream. */
export function domainItems({ stream }: WorldDomain, count: number, options: DomainStream): WorldItem[] {
  const items: WorldItem[] = [];
  if (!(count > 0)) return items;
  for (const item of stream(options)) if (items.push(item) >= count) break;
  return items;
}

function* drawnStream(
  domain: string,
  stream: DomainStream,
  draw: (options: WorldOptions, random: Random) => Drawn | undefined,
): Generator<WorldItem> {
  const options = { ...defaultWorldOptions, ...stream };
  const seen = new Set<string>();
  for (let index = 0; ; index++) {
    const drawn = draw(options, new Random(deriveSeed(stream.seed, domain, stream.split, index)));
    if (drawn === undefined || splitOf(drawn.steps) !== stream.split) continue;
    const canonical = canonicalChain(drawn.steps);
    if (seen.has(canonical)) continue;
    seen.add(canonical);
    yield {
      id: `${domain}-${stream.split}-${stream.seed}-${index}`,
      question: drawn.question,
      answer: String(drawn.steps.at(-1)!.result),
      group: `${domain}${drawn.steps.some(isHard) ? "-hard" : ""}`,
      steps: drawn.steps.map((step) => `${step.left}${step.operator}${step.right}=${step.result}`),
      chain: drawn.steps,
    };
  }
}
