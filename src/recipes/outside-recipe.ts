/** Recipes from outside of the catalogue: what a card has to be, the module it came from, and slips in that module told from our own. */
import path from "node:path";
import { moduleContent, moduleFile } from "#files/outside-module.ts";
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import { meant, shortened, specFault } from "#kernel/options.ts";
import { isRecord } from "#kernel/values.ts";
import type { RecipeCard } from "./recipe-card.ts";
import { changedOptions, defaultsOf, optionsByName, type RecipeOptions } from "./recipe-options.ts";

/** Deeper groups are a card that holds itself. */
const deepestGroup = 8;

const contents = new WeakMap<object, string>();

/** Remembers what the card's module holds at this moment, for the record of its runs. */
export function keepContent(card: RecipeCard, module: string): RecipeCard {
  contents.set(card, moduleContent(module));
  return card;
}

/** Undefined for a card of no module, whose program answers for it. */
export function contentOf(card: object): string | undefined {
  return contents.get(card);
}

/** The card, if it is one. Throws user errors alone, which name everything that is wrong with its parts, or else the preset that is. */
export function checkedCard(card: unknown, from: string): RecipeCard {
  const faults = faultsOf(isRecord(card) ? card : {});
  if (faults.length > 0) {
    throw userError(
      "no-recipe",
      `what ${from} exports is no recipe: ${faults.join(", ")}`,
      "Make it with defineRecipe, whose types say what is missing.",
    );
  }
  const checked = card as RecipeCard;
  for (const preset of Object.values(checked.presets)) {
    if (typeof preset !== "function")
      changedOptions(`${from}, ${checked.id}`, checked.options, defaultsOf(checked.options), preset);
  }
  return checked;
}

const cardParts: Readonly<Record<keyof RecipeCard, true>> = {
  id: true,
  name: true,
  paper: true,
  status: true,
  summary: true,
  options: true,
  presets: true,
  flags: true,
  check: true,
  learnsFrom: true,
  read: true,
  decides: true,
  newModel: true,
  longestExample: true,
  methods: true,
  baseMethods: true,
  train: true,
  costs: true,
  examples: true,
};

function faultsOf(card: Readonly<Record<string, unknown>>): string[] {
  const { id, status, learnsFrom, options, presets, examples = [], flags = {}, paper } = card;
  // The id names folders.
  const isName = typeof id === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(id);
  const required = ["methods", "train", "costs"].filter((name) => typeof card[name] !== "function");
  const optional = ["check", "read", "decides", "newModel", "longestExample", "baseMethods"].filter(
    (name) => card[name] !== undefined && typeof card[name] !== "function",
  );
  const stray = Object.keys(card).filter((name) => !(name in cardParts));
  const faults = [
    ...stray.map((name) =>
      `${shortened(name)} is no part of one. ${meant(name, Object.keys(cardParts))}`.trim().replace(/[.?]$/, ""),
    ),
    ...(typeof id !== "string" ? ["id is no text"] : isName ? [] : ["id is not of small letters, digits and single hyphens"]),
    ...["name", "summary"].filter((name) => typeof card[name] !== "string").map((name) => `${name} is no text`),
    ...["options", "presets"].filter((name) => !isRecord(card[name])).map((name) => `${name} is no object`),
    ...[...required, ...optional].map((name) => `${name} is no function`),
    ...(status === "stable" || status === "experimental" ? [] : ["status is neither stable nor experimental"]),
    ...(learnsFrom === "questions" || learnsFrom === "files" ? [] : ["learnsFrom is neither questions nor files"]),
    ...(isRecord(presets) && Object.keys(presets).length === 0 ? ["presets has none"] : []),
    ...Object.entries(isRecord(presets) ? presets : {})
      .filter(([, preset]) => typeof preset !== "function" && !isRecord(preset))
      .map(([name]) => `presets.${name} is neither an object nor a function`),
    ...(isTexts(examples) ? [] : ["examples is no list of texts"]),
    ...(paper === undefined || isPaper(paper) ? [] : ["paper is not a title, an arxiv text and a year"]),
  ];
  const ofOptions = isRecord(options) ? optionFaults(options, "", 1) : [];
  if (!isRecord(flags)) return [...faults, ...ofOptions, "flags is no object"];
  const names = ofOptions.length > 0 || !isRecord(options) ? undefined : optionsByName(options as RecipeOptions);
  return [...faults, ...ofOptions, ...Object.entries(flags).flatMap(([flag, value]) => flagFault(flag, value, names) ?? [])];
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isPaper(paper: unknown): boolean {
  return isRecord(paper) && isTexts([paper.title, paper.arxiv]) && typeof paper.year === "number";
}

function optionFaults(group: Readonly<Record<string, unknown>>, before: string, depth: number): string[] {
  if (depth > deepestGroup) return [`${before.slice(0, 40)}… is a group in more than ${deepestGroup} others`];
  return Object.entries(group).flatMap(([name, option]) => {
    const full = before + name;
    if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) return [`“${full}” is no name for an option`];
    if (isRecord(option) && typeof option.type !== "string") return optionFaults(option, `${full}.`, depth + 1);
    const fault = specFault(option);
    return fault === undefined ? [] : [`option ${full}: ${fault}`];
  });
}

function flagFault(flag: string, value: unknown, names: ReadonlyMap<string, unknown> | undefined): string | undefined {
  if (!/^(-\w, )?--[a-zA-Z][\w-]*( <[^<>]+>| \[[^[\]]+\])?$/.test(flag)) return `“${flag}” is no flag such as --steps <number>`;
  if (!isRecord(value)) return `flag ${flag} is no object`;
  if ("spec" in value) {
    const fault = typeof value.changes === "function" ? specFault(value.spec) : "changes is no function";
    return fault && `flag ${flag}: ${fault}`;
  }
  const isKnown = typeof value.option === "string" && (names?.has(value.option) ?? true);
  return isKnown ? undefined : `flag ${flag} sets ${String(value.option)}, which is no option`;
}

/**
 * What went wrong while a module's own functions ran: a user error with the place where it is the module's slip, the error itself where
 * the module has no part in it or says what is wrong in our way.
 */
export function slipIn(module: string, error: unknown): unknown {
  if (MidcourseError.isInstance(error)) return error;
  if (!(error instanceof Error)) return slip(module, `threw ${String(error)}`, error);
  if (error.name === "AbortError" || error.name === "CommanderError") return error;
  const base = path.basename(moduleFile(module) ?? "");
  const place = error.stack?.split("\n").find((line) => base !== "" && /^\s*at /.test(line) && line.includes(encodeURI(base)));
  if (place === undefined) return error;
  return slip(module, `failed: ${messageOf(error)}`, error, `See ${place.trim()}.`);
}

function slip(module: string, what: string, cause: unknown, advice?: string): MidcourseError {
  return userError("module-failed", `${module} ${what}`, advice ?? "Throw an Error, which says where it came from.", cause);
}
