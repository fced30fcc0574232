/**
 * The options of a recipe: those of kernel/options.ts, in groups where it helps (`adamW.beta1`). A preset, a file, a flag, `--set` and a
 * program's call all pass through `changedOptions`, so that each is refused alike.
 */
import { userError } from "#kernel/errors.ts";
import { checkOptions, type OptionSpec, type OptionValues, readOption, unknownOption } from "#kernel/options.ts";

/** An option or a group of them, by name. */
export type RecipeOptions = { readonly [name: string]: OptionSpec | RecipeOptions };

/** Every option at its value. */
export type RecipeValues<Options> = {
  -readonly [Name in keyof Options]: Options[Name] extends OptionSpec
    ? OptionValues<{ value: Options[Name] }>["value"]
    : RecipeValues<Options[Name]>;
};

/** Some options, to be put in the place of others; undefined where an option may be without a value takes its value away. */
export type RecipeChanges<Options> = {
  -readonly [Name in keyof Options]?:
    | (Options[Name] extends OptionSpec ? OptionValues<{ value: Options[Name] }>["value"] : RecipeChanges<Options[Name]>)
    | undefined;
};

type AnyValues = Record<string, unknown>;

/** Keeps the constant types of the options, from which those of their values follow. */
export function recipeOptions<const Options extends RecipeOptions>(options: Options): Options {
  return options;
}

/** The same options with other defaults, such as another paper's. */
export function withDefaults<Options extends RecipeOptions>(options: Options, changes: RecipeChanges<Options>): Options {
  const entries = Object.entries(options).map(([name, option]): [string, OptionSpec | RecipeOptions] => {
    const change = (changes as AnyValues)[name];
    if (change === undefined) return [name, option];
    return [
      name,
      isOption(option)
        ? ({ ...option, default: change } as OptionSpec)
        : withDefaults(option, change as RecipeChanges<RecipeOptions>),
    ];
  });
  return Object.fromEntries(entries) as Options;
}

export function defaultsOf<Options extends RecipeOptions>(options: Options): RecipeValues<Options> {
  const entries = Object.entries(options).map(([name, option]) => [name, isOption(option) ? option.default : defaultsOf(option)]);
  return Object.fromEntries(entries) as RecipeValues<Options>;
}

/** Options by their full names, those of groups with dots. */
export function optionsByName(options: RecipeOptions, before = ""): Map<string, OptionSpec> {
  const named = Object.entries(options).flatMap(([name, option]): [string, OptionSpec][] =>
    isOption(option) ? [[before + name, option]] : [...optionsByName(option, `${before}${name}.`)],
  );
  return new Map(named);
}

/** The value of an option by its full name. */
export function valueByName(values: object, name: string): unknown {
  return name.split(".").reduce<unknown>((at, part) => (isGroup(at) ? at[part] : undefined), values);
}

/** `changes` as a change of one option by its full name. */
export function changeOf(name: string, value: unknown): AnyValues {
  return name.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as AnyValues;
}

/**
 * The values with the changes made. `owner` is whose options they are, such as `pasr`. Throws user errors alone: for names that do not
 * exist, and for values of another type or out of range.
 */
export function changedOptions<Options extends RecipeOptions>(
  owner: string,
  options: Options,
  values: RecipeValues<Options>,
  changes: object,
): RecipeValues<Options> {
  const changed = (present: AnyValues, group: RecipeOptions, given: object, before: string): AnyValues => {
    const result = { ...present };
    for (const [name, value] of Object.entries(given)) {
      const option = Object.hasOwn(group, name) ? group[name] : undefined;
      if (option === undefined) throw unknownOption(owner, before + name, [...optionsByName(options).keys()]);
      if (isOption(option)) {
        const isWithout = value === undefined || value === null;
        if (isWithout && option.default !== undefined) continue;
        result[name] = isWithout
          ? undefined
          : checkOptions(owner, { [before + name]: option }, { [before + name]: value })[before + name];
      } else if (isGroup(value)) result[name] = changed(result[name] as AnyValues, option, value, `${before}${name}.`);
      else throw notAsWhole(owner, before + name, [...optionsByName(options).keys()]);
    }
    return result;
  };
  return changed(values, options, changes, "") as RecipeValues<Options>;
}

/** The values as they are, each checked; one that is not there takes its default. */
export function checkedOptions<Options extends RecipeOptions>(
  owner: string,
  options: Options,
  values: RecipeChanges<Options>,
): RecipeValues<Options> {
  return changedOptions(owner, options, defaultsOf(options), values);
}

/** Those values that are of these options, out of a card's that has others beside them. */
export function valuesOf<Options extends RecipeOptions>(options: Options, values: RecipeValues<Options>): RecipeValues<Options> {
  const own = Object.entries(values).filter(([name]) => Object.hasOwn(options, name));
  return Object.fromEntries(own) as RecipeValues<Options>;
}

/** A change from `name=value`. The value `none` takes the value of an option away that may be without one. */
export function readSetting(owner: string, options: RecipeOptions, setting: string): AnyValues {
  const equals = setting.indexOf("=");
  const names = optionsByName(options);
  if (equals <= 0) {
    const example = [...names.keys()][0] ?? "name";
    throw userError("bad-setting", `${owner}: ${setting} is not of the form name=value`, `For example ${example}=….`);
  }
  const name = setting.slice(0, equals);
  const text = setting.slice(equals + 1);
  const option = names.get(name);
  if (option !== undefined) {
    const isTaken = text === "none" && option.default === undefined;
    return changeOf(name, isTaken ? undefined : readOption(owner, name, option, text));
  }
  if ([...names.keys()].some((each) => each.startsWith(`${name}.`))) throw notAsWhole(owner, name, [...names.keys()]);
  throw unknownOption(owner, name, [...names.keys()]);
}

function isOption(option: OptionSpec | RecipeOptions): option is OptionSpec {
  return typeof option.type === "string";
}

function isGroup(value: unknown): value is AnyValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAsWhole(owner: string, name: string, all: readonly string[]) {
  const names = all.filter((each) => each.startsWith(`${name}.`));
  return userError("bad-setting", `${owner}: ${name} cannot be set as a whole`, `Set one of ${names.join(", ")}.`);
}
