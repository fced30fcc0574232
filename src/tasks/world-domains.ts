/**
 * The small world's domains: the sums that models are trained on (chains and stories), and two that training never sees though the base knows
 * them, programs and choices. Held out means that no recipe's questions come from there.
 */
import type { Verifier } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { choiceVerifier } from "#verifiers/choice.ts";
import { numberVerifier } from "#verifiers/number.ts";
import { canonicalChain, defaultWorldOptions, isHard, type Split, type Step, splitOf, type WorldOptions } from "./world.ts";
import { drawChoice } from "./world-choices.ts";
import { type WorldItem, worldStream } from "./world-items.ts";
import { drawProgram } from "./world-programs.ts";

export interface DomainStream extends Partial<WorldOptions> {
  split: Split;
  seed: number;
}

export interface WorldDomain {
  id: "sums" | "programs" | "choices";
  label: string;
  heldOut: boolean;
  /** Endless, without repeated problems; the same for the same seed. */
  stream(stream: DomainStream): Generator<WorldItem>;
  verify: Verifier;
}

interface Drawn {
  steps: readonly Step[];
  question: string;
  choices?: { letter: string; text: string }[];
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
    id: "choices",
    label: "choices",
    heldOut: true,
    stream: (stream) => drawnStream("choices", stream, drawChoice),
    verify: choiceVerifier,
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
    const result = String(drawn.steps.at(-1)!.result);
    yield {
      id: `${domain}-${stream.split}-${stream.seed}-${index}`,
      question: drawn.question,
      answer: drawn.choices?.find(({ text }) => text === result)?.letter ?? result,
      group: `${domain}${drawn.steps.some(isHard) ? "-hard" : ""}`,
      steps: drawn.steps.map((step) => `${step.left}${step.operator}${step.right}=${step.result}`),
      chain: drawn.steps,
      ...(drawn.choices ? { choices: drawn.choices } : {}),
    };
  }
}
