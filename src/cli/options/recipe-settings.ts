/** `--set name=value`: changes any option of a recipe's preset, strictly. */
import { userError } from "#kernel/errors.ts";

/** What the present value of an option does not say about it. */
export interface SettingRules {
  /** Whose options they are, for messages. */
  recipe: string;
  /** The words an option may be, by its name. */
  choices: Readonly<Record<string, readonly string[]>>;
  /** Options that a preset may leave out, and those that are neither number, word nor true or false. */
  readers?: Readonly<Record<string, SettingReader>>;
  /** A setting that works, for advice. */
  example: string;
}

export interface SettingReader {
  /** Undefined where the text is no such value. */
  read: (text: string) => { value: unknown } | undefined;
  needs: string;
}

const shared = {
  schedule: ["constant", "linear", "cosine"],
  normaliser: ["sequence-mean", "token-mean", "token-sum"],
};

export const pasrSettings: SettingRules = {
  recipe: "PASR",
  choices: {
    ...shared,
    refineReward: ["versus-group", "versus-single", "any-refinement"],
    advantageDeviation: ["sample", "population", "none"],
    path: ["fused", "two-pass"],
  },
  readers: { plainAccuracyWindow: { read: readWindow, needs: "low,high or none" } },
  example: "learningRate=1e-5 refineReward=any-refinement",
};

export const scoreSettings: SettingRules = {
  recipe: "SCoRe",
  choices: {
    ...shared,
    klPlacement: ["reward", "loss"],
    credit: ["own-turn", "to-go"],
    earlierTurns: ["as-shown", "as-sampled"],
    keep: ["last", "best-reward"],
  },
  example: "learningRate=1e-5 credit=to-go",
};

/** The options with the settings applied; dotted names reach inside (`adamW.weightDecay=0.01`, `prompts.retry=…`). */
export function applySettings<Options extends object>(
  options: Options,
  settings: readonly string[],
  rules: SettingRules,
): Options {
  const changed = structuredClone(options);
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    if (equals <= 0) throw badSetting(setting, "is not of the form name=value", rules);
    const name = setting.slice(0, equals);
    const place = name.split(".");
    const last = place.pop() as string;
    const holder = place.reduce<unknown>((at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined), changed);
    const isKnown = isRecord(holder) && (Object.hasOwn(holder, last) || Object.hasOwn(rules.readers ?? {}, name));
    if (!isKnown) throw unknownSetting(name, options, rules);
    holder[last] = readValue(name, setting.slice(equals + 1), holder[last], rules);
  }
  return changed;
}

function readValue(name: string, text: string, present: unknown, rules: SettingRules): unknown {
  const refused = (what: string) => badSetting(`${name}=${text}`, what, rules);
  const reader = rules.readers?.[name];
  if (reader !== undefined) {
    const found = reader.read(text);
    if (found === undefined) throw refused(`needs ${reader.needs}`);
    return found.value;
  }
  if (typeof present === "number") {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw refused("needs a number");
    return value;
  }
  if (typeof present === "boolean") {
    if (text !== "true" && text !== "false") throw refused("needs true or false");
    return text === "true";
  }
  if (typeof present !== "string")
    throw refused(`cannot be set as a whole; set one of ${namesOf({ [name]: present }).join(", ")}`);
  const allowed = rules.choices[name];
  if (allowed !== undefined && !allowed.includes(text)) throw refused(`needs one of ${allowed.join(", ")}`);
  return text;
}

function readWindow(text: string): { value: [number, number] | undefined } | undefined {
  if (text === "none") return { value: undefined };
  const [low, high, ...more] = text.split(",").map(Number);
  return more.length > 0 || !Number.isFinite(low) || !Number.isFinite(high) ? undefined : { value: [low!, high!] };
}

/** Every name that can be set, inner ones with dots. */
function namesOf(options: object, before = ""): string[] {
  return Object.entries(options).flatMap(([name, value]) =>
    isRecord(value) ? namesOf(value, `${before}${name}.`) : [`${before}${name}`],
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badSetting(setting: string, what: string, { example }: SettingRules) {
  return userError("bad-setting", `--set ${setting} ${what}`, `For example: --set ${example}`);
}

function unknownSetting(name: string, options: object, { recipe, readers = {} }: SettingRules) {
  const names = [...new Set([...namesOf(options), ...Object.keys(readers)])];
  return userError("unknown-setting", `There is no option "${name}" of ${recipe}`, `They are: ${names.join(", ")}.`);
}
