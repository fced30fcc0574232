/**
 * Which fields of a request a server takes, learnt while it is asked: a field that it refuses is left out of that request and of all that
 * follow, whoever sends them, so that each costs one refused request and not one an answer. What was asked for and not honoured is kept for
 * the record. A request with something in it that was never sent goes alone for a moment: a hundred at once are refused once.
 */
import type { NotHonoured } from "#kernel/model.ts";
import { shortened } from "#kernel/options.ts";
import { isRecord } from "#kernel/values.ts";
import { type Refusal, refusalIn } from "./failure.ts";
import { type RefusedField, reasoningWish, refusedFields, refusesAmount } from "./refused-fields.ts";

export type RequestBody = Readonly<Record<string, unknown>>;

/** Several samples are to be asked for one by one: the server takes no `n`. */
export class OneByOne extends Error {}

/** Those a user asks for; the others are means of ours. */
const asked = new Set(["temperature", "top_p", "top_k", "seed", "stop", "n", "max_tokens", "max_completion_tokens", "logprobs"]);
const otherName: Readonly<Record<string, string>> = { max_tokens: "max_completion_tokens", max_completion_tokens: "max_tokens" };

/** What goes with another field. */
const partOf: Readonly<Record<string, string>> = { top_logprobs: "logprobs", stream_options: "stream" };

/** Which are tried without, where a server refuses and does not say what. */
const suspects = [
  "top_k",
  "logprobs",
  "seed",
  "stream_options",
  "stop",
  "top_p",
  "temperature",
  "max_tokens",
  "max_completion_tokens",
  "stream",
  "n",
];

/** How long a request that is the first of its kind is waited for, in milliseconds: refusals come faster than answers. */
const alone = 1000;
/** More refusals than a request has fields teach nothing. */
const mostLessons = 16;

interface Lesson {
  why: string;
  byUser: boolean;
  /** An answer came without it. */
  confirmed: boolean;
}

export class LearntFields {
  readonly #without = new Map<string, Lesson>();
  /** Bounds of values, by field. */
  readonly #bounds = new Map<string, Lesson & { least?: number; most?: number }>();
  readonly #kept: ReadonlySet<string>;
  /** Kinds of requests that need not go alone any more, and those that were answered. */
  readonly #passed = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #inVain = new Set<string>();
  readonly #met = new Map<string, NotHonoured>();
  #first: Promise<void> | undefined;
  #trying: Promise<void> | undefined;
  #reasoning: "unsent" | "sent" | "never" = "unsent";
  #filler = "";

  /** `extraBody`: fields of the user's own are sent whatever the server says, and those that are null are left out. */
  constructor(extraBody: RequestBody = {}) {
    this.#kept = new Set(Object.keys(extraBody));
    for (const [field, value] of Object.entries(extraBody)) {
      if (value === null) this.#without.set(field, { why: "left out by the user", byUser: true, confirmed: true });
    }
  }

  /** A field that is known to do nothing at this server: it is left out, and told where it is asked for. A user's own stays. */
  leaveOut(field: string, why: string): void {
    if (!this.#kept.has(field)) this.#without.set(field, { why, byUser: false, confirmed: true });
  }

  /** What was asked for since the last `forgetAsked` and not honoured, in the order in which it came up. */
  get notHonoured(): NotHonoured[] {
    return [...this.#met.values()];
  }

  /** Why a field was not sent as it was asked for, and what was done in its place; undefined where it was. */
  reasonFor(field: string): NotHonoured | undefined {
    const lesson = this.#without.get(field);
    // A probe's lesson is heeded before a request is made.
    return this.#met.get(field) ?? (lesson && { field, why: lesson.why });
  }

  /** What test requests asked for is no wish of the user's. */
  forgetAsked(): void {
    this.#met.clear();
  }

  /** Whether the server refuses the field; not whether the user leaves it out. */
  refuses(field: string): boolean {
    return this.#without.get(field)?.byUser === false;
  }

  /** Whether the reasoning of earlier answers goes back with them. */
  get sendsReasoning(): boolean {
    return this.#reasoning === "sent";
  }

  /** What goes back where the reasoning of an answer is not known. */
  get reasoningFiller(): string {
    return this.#filler;
  }

  /** False once it is known that nobody will ask for the reasoning of earlier answers. */
  get mayNeedReasoning(): boolean {
    return this.#reasoning === "sent" || (this.#reasoning === "unsent" && !this.#taken.has(earlierTurns));
  }

  /**
   * Sends the request that `build` makes, without what the server is known to refuse, and again without what it refuses now. Throws what `send`
   * throws where that cannot be helped, and `OneByOne` where it is `n`.
   */
  async ask<Answer>(
    build: () => RequestBody,
    send: (body: RequestBody) => Promise<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const lessons: string[] = [];
    const done = await this.#turn(build, signal);
    try {
      for (let refusals = 0; ; refusals++) {
        const whole = build();
        const body = this.#shaped(whole);
        try {
          const answer = await send(body);
          this.#answered(whole, body);
          return answer;
        } catch (error) {
          const refusal = signal?.aborted ? undefined : refusalIn(error);
          if (refusal === undefined || refusals >= mostLessons) throw error;
          const learnt = this.#learn(refusal, body, whole);
          lessons.push(...learnt);
          // Another request of ours may have been taught the same meanwhile.
          if (learnt.length > 0 || !isSame(this.#shaped(build()), body)) continue;
          await this.#trying;
          if (!isSame(this.#shaped(build()), body)) continue;
          const found = await this.#triedWithout(whole, body, send, error, refusal);
          if (found !== undefined) return found.answer;
          for (const field of lessons) this.#unlearn(field);
          throw error;
        }
      }
    } finally {
      done();
    }
  }

  /** The request without what is known to be refused. Throws where the samples have to be asked for one by one. */
  #shaped(whole: RequestBody): Record<string, unknown> {
    const body: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(whole)) {
      const lesson = this.#without.get(field) ?? this.#without.get(partOf[field]);
      if (lesson === undefined) {
        body[field] = this.#bounded(field, value);
        continue;
      }
      if (field === "n" && Number(value) > 1) {
        this.#meet("n", lesson.why, "one request a sample");
        throw new OneByOne();
      }
      const other = otherName[field];
      if (other !== undefined && !lesson.byUser && !this.#without.has(other)) body[other] ??= value;
      else this.#meet(field, lesson.why, field === "stop" ? "the answer is cut at the stop texts after it was given" : undefined);
    }
    return body;
  }

  #bounded(field: string, value: unknown): unknown {
    const bound = this.#bounds.get(field);
    if (bound === undefined || typeof value !== "number") return value;
    const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, why } = bound;
    const nearest = Math.min(most, Math.max(least, value));
    if (nearest !== value) this.#meet(field, why, `${nearest} was sent for ${value}`);
    return nearest;
  }

  #meet(field: string, why: string, instead: string | undefined): void {
    if (asked.has(field)) this.#met.set(field, { field, why, ...(instead === undefined ? {} : { instead }) });
  }

  /** What a refusal taught, as names of fields. */
  #learn({ words, status, code }: Refusal, body: RequestBody, whole: RequestBody): string[] {
    if (!mayTeach(status, code, words.sentence ?? "")) return [];
    const why = `the server refused it: ${shortened(words.sentence ?? String(status), 200)}`;
    const wish = reasoningWish(words);
    if (wish !== undefined) {
      const before = `${this.#reasoning}${this.#filler}`;
      if (wish === "refused") this.#reasoning = "never";
      else if (this.#reasoning === "unsent") this.#reasoning = "sent";
      // Moonshot takes no empty text for what is not known any more.
      else if (this.#reasoning === "sent" && hasEmptyReasoning(body)) this.#filler = " ";
      if (before !== `${this.#reasoning}${this.#filler}`) return [earlierTurns];
    }
    // With 403 OpenAI forbids log-probabilities of some models, as if the key were wrong.
    const named = refusedFields(words, body, this.#kept).filter(({ field }) => status !== 403 || /logprobs$/.test(field));
    return named.flatMap((refused) => this.#lesson(refused, body, whole, why));
  }

  #lesson({ field, instead }: RefusedField, body: RequestBody, whole: RequestBody, why: string): string[] {
    const value = Number(body[field]);
    const isNew = !this.#without.has(field);
    if (instead === undefined || !isNew || value !== Number(whole[field])) {
      if (isNew) this.#without.set(field, { why, byUser: false, confirmed: false });
      return isNew ? [field] : [];
    }
    this.#bounds.set(field, {
      ...(this.#bounds.get(field) ?? { byUser: false }),
      why,
      confirmed: false,
      ...(instead < value ? { most: instead } : { least: instead }),
    });
    return [field];
  }

  /** A lesson after which the server refused all the same was none. */
  #unlearn(field: string): void {
    if (this.#without.get(field)?.confirmed === false) this.#without.delete(field);
    if (this.#bounds.get(field)?.confirmed === false) this.#bounds.delete(field);
    if (!this.#without.has(field)) this.#met.delete(field);
  }

  #answered(whole: RequestBody, body: RequestBody): void {
    for (const kind of kindsOf(body)) {
      this.#passed.add(kind);
      this.#taken.add(kind);
    }
    // An answer that was on its way when a lesson was learnt, and had the field in it, says nothing for the lesson.
    for (const field of Object.keys(whole)) {
      if (body[field] === whole[field]) continue;
      for (const lesson of [this.#without.get(field), this.#bounds.get(field)]) if (lesson) lesson.confirmed = true;
    }
  }

  /** The server does not say what it refuses: without one of what it never took, and then without all of it. */
  async #triedWithout<Answer>(
    whole: RequestBody,
    body: RequestBody,
    send: (body: RequestBody) => Promise<Answer>,
    error: unknown,
    { status, code, words }: Refusal,
  ): Promise<{ answer: Answer } | undefined> {
    if (code !== "request-refused" || ![400, 406, 422, 501].includes(status ?? 0) || refusesAmount(words, body)) return undefined;
    const untried = suspects.filter((field) => field in body && !this.#kept.has(field) && this.#isUntried(field, body));
    const kind = untried.join();
    if (untried.length === 0 || this.#inVain.has(kind)) return undefined;
    this.#inVain.add(kind);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#trying = promise;
    const why = `the server refused it: ${shortened(words.sentence ?? String(status), 200)}`;
    try {
      for (const fields of [...untried.map((field) => [field]), ...(untried.length > 1 ? [untried] : [])]) {
        for (const field of fields) this.#without.set(field, { why, byUser: false, confirmed: false });
        try {
          const trial = this.#shaped(whole);
          const answer = await send(trial);
          this.#answered(whole, trial);
          this.#inVain.delete(kind);
          return { answer };
        } catch (failure) {
          if (failure instanceof OneByOne) throw failure;
          for (const field of fields) this.#unlearn(field);
          if (refusalIn(failure)?.code !== "request-refused") throw error;
        }
      }
      return undefined;
    } finally {
      this.#trying = undefined;
      resolve();
    }
  }

  #isUntried(field: string, body: RequestBody): boolean {
    return !this.#taken.has(field) || (body[field] === 0 && !this.#taken.has(`${field}=0`));
  }

  /** Waits for the turn of a request; what it gives is called when the request is done. */
  async #turn(build: () => RequestBody, signal: AbortSignal | undefined): Promise<() => void> {
    for (;;) {
      const news = kindsOf(this.#shaped(build())).filter((kind) => !this.#passed.has(kind));
      if (news.length === 0) return () => {};
      if (this.#first === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#first = promise;
        const release = () => {
          clearTimeout(timer);
          if (this.#first === promise) this.#first = undefined;
          resolve();
        };
        const timer = setTimeout(() => {
          for (const kind of news) this.#passed.add(kind);
          release();
        }, alone);
        return release;
      }
      await untilEither(this.#first, signal);
    }
  }
}

const earlierTurns = "earlier turns";

/** What may be refused in a request: its fields, a value of 0 by itself, and answers of before. */
function kindsOf(body: RequestBody): string[] {
  const fields = Object.entries(body).flatMap(([field, value]) => (value === 0 ? [field, `${field}=0`] : [field]));
  const turns = Array.isArray(body.messages) ? body.messages.slice(0, -1) : [];
  return turns.some((turn) => isRecord(turn) && turn.role === "assistant") ? [...fields, earlierTurns] : fields;
}

function hasEmptyReasoning({ messages }: RequestBody): boolean {
  return Array.isArray(messages) && messages.some((turn) => isRecord(turn) && turn.reasoning_content === "");
}

/** A request that is not taken; 5xx: gateways that fail over what they do not know; 404: routers that find nobody for it. */
function mayTeach(status = 400, code: string, sentence: string): boolean {
  if (status >= 500 && status !== 501) return code === "server-failed" && ofRequest.test(sentence);
  if (status === 404 || status === 405) return /\b(?:param|argument|field|propert)/i.test(sentence);
  return code === "request-refused" || code === "server-failed" || (code === "not-authorised" && status === 403);
}

const ofRequest =
  /unsupported|not support|n['’]t support|unexpected keyword|unknown (?:field|param|arg|name)|not permitted|unrecogni[sz]ed|BadRequest|InvalidRequest|validation|reasoning_content/i;

function isSame(first: RequestBody, second: RequestBody): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

async function untilEither(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    await Promise.race([promise, aborted]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
