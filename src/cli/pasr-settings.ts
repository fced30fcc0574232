/** `--set name=value`: changes any option of a PASR preset, strictly. */
import { userError } from "#kernel/errors.ts";
import type { PasrOptions } from "#recipes/pasr-options.ts";

const choices: Readonly<Record<string, readonly string[]>> = {
  refineReward: ["versus-group", "versus-single", "any-refinement"],
  schedule: ["constant", "linear", "cosine"],
  normaliser: ["sequence-mean", "token-mean", "token-sum"],
  advantageDeviation: ["sample", "population", "none"],
  path: ["fused", "two-pass"],
};

/** The options with the settings applied; dotted names reach inside (`adamW.weightDecay=0.01`, `prompts.refine=…`). */
export function applySettings(options: PasrOptions, settings: readonly string[]): PasrOptions {
  const changed = structuredClone(options) as unknown as Record<string, unknown>;
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    if (equals <= 0) throw badSetting(setting, "is not of the form name=value");
    const name = setting.slice(0, equals);
    const place = name.split(".");
    const last = place.pop() as string;
    const holder = place.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), changed);
    if (!isRecord(holder) || (!(last in holder) && name !== "plainAccuracyWindow")) throw unknownSetting(name, options);
    holder[last] = parseValue(name, setting.slice(equals + 1), holder[last]);
  }
  return changed as unknown as PasrOptions;
}

function parseValue(name: string, text: string, present: unknown): unknown {
  if (name === "plainAccuracyWindow") return parseWindow(text);
  if (typeof present === "number") {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw badSetting(`${name}=${text}`, "needs a number");
    return value;
  }
  if (typeof present === "boolean") {
    if (text !== "true" && text !== "false") throw badSetting(`${name}=${text}`, "needs true or false");
    return text === "true";
  }
  const allowed = choices[name];
  if (typeof present !== "string" || (allowed !== undefined && !allowed.includes(text)))
    throw badSetting(
      `${name}=${text}`,
      allowed === undefined ? "cannot be set as a whole" : `needs one of ${allowed.join(", ")}`,
    );
  return text;
}

function parseWindow(text: string): [number, number] | undefined {
  if (text === "none") return undefined;
  const [low, high, ...more] = text.split(",").map(Number);
  if (more.length > 0 || !Number.isFinite(low) || !Number.isFinite(high))
    throw badSetting(`plainAccuracyWindow=${text}`, "needs low,high or none");
  return [low as number, high as number];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badSetting(setting: string, what: string) {
  return userError("bad-setting", `--set ${setting} ${what}`, "For example: --set learningRate=1e-5 refineReward=any-refinement");
}

function unknownSetting(name: string, options: PasrOptions) {
  return userError("unknown-setting", `There is no option "${name}" of PASR`, `They are: ${Object.keys(options).join(", ")}.`);
}
