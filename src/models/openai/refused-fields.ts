/**
 * Which field of a request a server refuses, from its own words: pydantic's `loc` (Mistral, vLLM, FastAPI), OpenAI's and Azure's `param`, and
 * sentences of every kind. Read in public reports of 2024 to 2026:
 * Mistral 422 `extra_forbidden` with `loc: ["body", "seed"]`; Gemini `Unknown name "seed": Cannot find field.`; OpenAI `Unsupported parameter:
 * 'max_tokens' …`, `Unsupported value: 'temperature' does not support 0 …`, `Unrecognized request argument supplied: logprobs`; Anthropic
 * `` `temperature` and `top_p` cannot both be specified …``, `temperature is deprecated …`, `seed: Extra inputs are not permitted`; xAI `Argument not
 * supported on this model: stop`; Moonshot `invalid temperature: only 1 is allowed …`; LiteLLM `UnsupportedParamsError: … does not support
 * parameters: ['seed']`, under 400 and 500; transformers serve `Unsupported fields in the request: {'n'}`; Groq `property 'logprobs' is
 * unsupported`; TGI `` `temperature` must be strictly positive``; servers in Go and Rust `unknown field "seed"`, with all known fields behind it.
 */
import type { ServerWords } from "./server-words.ts";

/** A field as it was sent. */
export interface RefusedField {
  field: string;
  /** The nearest value that the server says it takes; left out where it takes none, or says none. */
  instead?: number | undefined;
}

/** Without these there is no request, or it means something else. */
const needed = new Set(["model", "messages", "continue_final_message", "add_generation_prompt"]);

/** By the name that is sent: how servers call it where they translate the request for another. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  max_tokens: ["maxTokens", "max_new_tokens", "max_output_tokens", "maxOutputTokens"],
  max_completion_tokens: ["maxTokens", "max_new_tokens", "max_output_tokens", "maxOutputTokens"],
  top_p: ["topP", "#/p"],
  top_k: ["topK", "#/k"],
  stop: ["stop_sequences", "stopSequences", "stop_words", "stop sequences", "stop words", "stop tokens"],
  n: [
    "candidate_count",
    "candidateCount",
    "num_generations",
    "num_return_sequences",
    "best_of",
    "multiple (?:choices|completions|candidates|samples)",
  ],
  stream: ["streaming"],
  logprobs: ["response_logprobs", "responseLogprobs", "Logprobs", "log probabilities"],
  top_logprobs: ["topLogprobs"],
  stream_options: ["streamOptions", "include_usage"],
};

const isMaxTokens = (field: string) => field === "max_tokens" || field === "max_completion_tokens";

/** Of two fields that exclude each other the one that matters less. */
const byWeight = ["stream_options", "top_logprobs", "logprobs", "n", "stream", "seed", "top_k", "top_p", "stop", "temperature"];

/** Empty where the words name no field that was sent. `kept` are fields that the user insists on. */
export function refusedFields(
  words: ServerWords,
  sent: Readonly<Record<string, unknown>>,
  kept: ReadonlySet<string>,
): RefusedField[] {
  const own = withoutAdvice(words.sentence ?? "");
  const refused = namedFields(words, own, sent, kept).filter((field) => !isMaxTokens(field) || !ofAmount.test(own));
  return oneOfPair(refused, own).map((field) => ({ field, instead: nearest(sent[field], field, own) }));
}

/** Whether the server takes a bound on an answer's tokens, and not this one: without it the answer would be another. */
export function refusesAmount(words: ServerWords, sent: Readonly<Record<string, unknown>>): boolean {
  const own = withoutAdvice(words.sentence ?? "");
  return ofAmount.test(own) && namedFields(words, own, sent, new Set()).some(isMaxTokens);
}

function namedFields(
  words: ServerWords,
  own: string,
  sent: Readonly<Record<string, unknown>>,
  kept: ReadonlySet<string>,
): readonly string[] {
  const mayGo = Object.keys(sent).filter((field) => !needed.has(field) && !kept.has(field));
  const places = words.fields.map((path) => path.split(/[.[\]]+/).filter((step) => step !== ""));
  const byPlace = mayGo.filter((field) => places.some((path) => leadsTo(path, field)));
  // Whoever says the place means it, though it be one that is none of ours.
  const isSaid = places.length > 0 && places.every((path) => path.length > 0);
  if (byPlace.length > 0 || isSaid) return byPlace;
  return refusing.test(own) ? mayGo.filter((field) => isNamed(field, own)) : [];
}

function leadsTo(path: readonly string[], field: string): boolean {
  if (path[0] === "messages" || path[0] === "tools") return false;
  return path.some((step) => step === field || (otherNames[field] ?? []).includes(step));
}

/** A sentence that refuses something, by its form or its value. */
const refusing =
  /\bnot (?:\w+ )?(?:support|permit|allow|recogni[sz]|availab|enabl|implement|accept|compatib|valid)|n['’]t (?:\w+ )?(?:support|accept|allow|take|compatib)|\bno support|\bno endpoints found|unsupported|unrecogni[sz]ed|unknown|unexpected|extra_forbidden|\b(?:extra|additional) (?:\w+ )?(?:inputs?|fields?|propert|param|arg|keys?)|deprecat|no longer|forbidden|disallow|cannot|can['’]t|\bremove\b|incompatible|invalid|illegal|\bmust\b|\bshould\b|\bonly\b|\brange\b|exceeds?\b|too (?:large|high|many|small|low)|\bmalformed\b|不支持|无效|非法|有误|错误|不合法|不能/i;

/** What is wrong with a number of tokens is its size; without a bound the answer would be another. */
const ofAmount =
  /too (?:large|high|big|many|small|low)|exceed|at most|at least|\brange\b|less than|greater than|larger than|smaller than|[<>]=? ?\d|\bbetween\b|\bmaximum\b|\bminimum\b|[[(]\s*\d+\s*,\s*\d+\s*[\])]|范围|不能(?:超过|大于|小于)/i;

/** Without what the server offers in its place, its list of all that it knows, and the request as it repeats it. */
function withoutAdvice(sentence: string): string {
  return sentence
    .replace(/['"]?\binput(?:_value)?['"]?\s*[:=]\s*\{[^}]{0,2000}\}?/g, " ")
    .replace(/\b(?:please |try |consider )*(?:use|using|set|setting) [^.;]{0,120}\binstead\b/gi, " ")
    .replace(/\b(?:set|send|pass) `?(?:litellm|allowed_openai_params)[\s\S]*$/i, " ")
    .replace(
      /(?:,? ?expected (?:one|any) of|(?<!(?:\bnot|n['’]t|\bno longer|\bnever) (?:\w+ )?)\b(?:supported|allowed|permitted|valid|accepted|known|available) (?:\w+ ){0,3}?(?:are|is|include)?:|\b(?:must|should) be one of|\bchoose from)[\s\S]*$/i,
      " ",
    );
}

/** Words of every day are a field's name only where a sentence has them as one. */
const everyday = new Set(["n", "stop", "stream", "seed"]);

function isNamed(field: string, sentence: string): boolean {
  return [field, ...(otherNames[field] ?? [])].some((name) => {
    const word = `(?<![\\w-])${name}(?![\\w-])`;
    if (!everyday.has(name)) return new RegExp(word).test(sentence);
    const quoted = `["'\`“‘«\\[({]\\s*${name}\\s*["'\`”’»\\])}:=]`;
    const before = `(?:\\b(?:param(?:eter)?s?|arg(?:ument)?s?|fields?|propert(?:y|ies)|options?|names?|keys?|keywords?|supports?|invalid|unsupported|unknown|unexpected|with|for|only|and|or|参数)|[:,.]|^)\\s*[:=]?\\s*${word}`;
    const after = `${word}\\s*(?:[:=<>]|(?:is|are|was|must|should|cannot|can't|can not|may|does|doesn't|not|param|arg|field|propert|values?|[Ee]xtra inputs?|Input)\\b|[不无])`;
    // “n” after a comma or “and” may be anything; the other side has to agree.
    const both = new RegExp(
      `${before}(?:\\s*(?:[.,;:=<>]|$)|\\s+(?:is|are|must|should|cannot|not|on|in|with|for|param|arg|field|and \\w+ (?:is|are|cannot|must))\\b)`,
    );
    return new RegExp(quoted).test(sentence) || both.test(sentence) || new RegExp(after).test(sentence);
  });
}

const excluding =
  /\bboth\b|only one\b|together|same time|simultaneous|mutually exclusive|\beither\b|conflict|in combination|alongside|combined with|when\b/i;

function oneOfPair(fields: readonly string[], sentence: string): readonly string[] {
  if (fields.length < 2 || !excluding.test(sentence)) return fields;
  const lesser = byWeight.find((field) => fields.includes(field));
  return lesser === undefined ? fields : [lesser];
}

const number = "(-?\\d+(?:\\.\\d+)?)";
const ranges = [
  `\\b(?:between|from|range:?)\\s*${number}\\s*(?:and|to|\\.\\.|-|,)\\s*${number}`,
  `[[(]\\s*${number}\\s*,\\s*${number}\\s*[\\])]`,
];
const upper = `(?:<=|≤|not less or equal to|less than or equal to|at most|no (?:more|greater|larger|higher) than|not (?:be )?(?:exceed|more than|greater than|larger than)|maximum(?: value)?(?: is| of|:)?|max(?: is|:)?|up to)\\s*${number}`;
const lower = `(?:>=|≥|greater than or equal to|at least|no (?:less|lower|smaller) than|not (?:be )?(?:less than|below)|minimum(?: value)?(?: is| of|:)?)\\s*${number}`;
const above = `(?:>|greater than|larger than|more than|above)\\s*${number}`;
const below = `(?:<|less than|smaller than|below)\\s*${number}`;

/** As near to a bound that does not count itself. */
const aside = 0.01;

/** For a temperature or a top_p outside of the range that the server names. */
function nearest(value: unknown, field: string, sentence: string): number | undefined {
  if (typeof value !== "number" || !["temperature", "top_p"].includes(field)) return undefined;
  const range = ranges.map((form) => new RegExp(form, "i").exec(sentence)).find((match) => match !== null);
  const bound = (form: string) => {
    const found = new RegExp(form, "i").exec(sentence)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const open = (limit: number | undefined, step: number) => (limit === undefined ? undefined : Number((limit + step).toFixed(4)));
  const isPositive = /(?:strictly )?positive|non-?zero/i.test(sentence) ? aside : undefined;
  const least = range ? Number(range[1]) : (bound(lower) ?? open(bound(above), aside) ?? isPositive);
  const most = range ? Number(range[2]) : (bound(upper) ?? open(bound(below), -aside));
  if (most !== undefined && value > most && most > 0) return most;
  if (least !== undefined && value < least && least > 0) return least;
  // A range that leaves its lower end out: (0, 2].
  if (value === 0 && (least ?? 0) === 0 && /\(\s*0(?:\.0+)?\s*,/.test(sentence)) return aside;
  return undefined;
}

/** Whether the server wants the reasoning of earlier answers back (DeepSeek-V4: “must be passed back to the API”), or will have none. */
export function reasoningWish({ sentence = "", fields }: ServerWords): "wanted" | "refused" | undefined {
  const isOfTurns = fields.some((path) => /\bmessages\b.*\breasoning(?:_content)?\b/.test(path));
  if (!isOfTurns && !/reasoning_content|reasoning content/i.test(sentence)) return undefined;
  if (
    /extra_forbidden|not permitted|not supported|unsupported|unknown|unexpected|not allowed|should not|must not|remove|do not (?:pass|send|include)/i.test(
      sentence,
    )
  )
    return "refused";
  return /pass(?:ed)? back|sent back|(?:must|should|needs? to|has to|have to|required?)\b|missing|is empty/i.test(sentence)
    ? "wanted"
    : undefined;
}
