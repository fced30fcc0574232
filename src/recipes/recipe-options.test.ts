import { describe, expect, expectTypeOf, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { recipes } from "./catalogue.ts";
import { smallIscOptions, trainIsc } from "./isc/recipe.ts";
import { type PasrOptions, pasrOptions, smallWorldPasrOptions } from "./pasr/options.ts";
import { pasr, trainPasr } from "./pasr/recipe.ts";
import { trainPasrIft } from "./pasr-ift/recipe.ts";
import { smallPtrOptions, trainPtr } from "./ptr/recipe.ts";
import {
  changedOptions,
  changeOf,
  defaultsOf,
  optionsByName,
  type RecipeOptions,
  readSetting,
  recipeOptions,
  valueByName,
  withDefaults,
} from "./recipe-options.ts";
import { smallRiseOptions, trainRise } from "./rise/recipe.ts";
import { chosenOptions, chosenPreset, runRecipe } from "./run-recipe.ts";
import { paperScoreOptions, scoreOptions } from "./score/options.ts";
import { checkScoreOptions, trainScore } from "./score/recipe.ts";
import { trainSupervised, worldSftOptions } from "./sft/recipe.ts";
import { smallWeighted } from "./shared/option-groups.ts";
import { worldSource } from "./sources/world-source.ts";
import { smallStarOptions, trainStar } from "./star/recipe.ts";

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.message;
    throw error;
  }
  return "accepted";
};

describe("settings", () => {
  const apply = (settings: readonly string[], options = smallWorldPasrOptions) =>
    settings.reduce(
      (values, setting) => changedOptions("pasr", pasrOptions, values, readSetting("pasr", pasrOptions, setting)),
      options,
    );

  test("numbers, names, groups and the window are set; the preset itself stays", () => {
    const changed = apply([
      "learningRate=1e-5",
      "refineReward=any-refinement",
      "adamW.weightDecay=0.1",
      "adamW.maxGradientNorm=Infinity",
      "prompts.refine=Think = twice.",
      "maskTruncated=true",
      "plainAccuracyWindow=0,0.9",
    ]);
    expect(changed).toMatchObject({ learningRate: 1e-5, refineReward: "any-refinement", maskTruncated: true });
    expect(changed.adamW).toEqual({
      ...smallWorldPasrOptions.adamW,
      weightDecay: 0.1,
      maxGradientNorm: Number.POSITIVE_INFINITY,
    });
    expect(changed.prompts.refine).toBe("Think = twice.");
    expect(changed.plainAccuracyWindow).toEqual([0, 0.9]);
    expect(apply(["plainAccuracyWindow=none"], changed).plainAccuracyWindow).toBeUndefined();
    expect(smallWorldPasrOptions.prompts.refine).not.toBe("Think = twice.");
    expectTypeOf(changed).toEqualTypeOf<PasrOptions>();
    expectTypeOf(changed.schedule).toEqualTypeOf<"constant" | "linear" | "cosine">();
  });

  test.each([
    ["learningRat=1", "has no option “learningRat” → Did you mean learningRate?"],
    ["learningRate", "name=value"],
    ["learningRate=", "is not a number above 0"],
    ["learningRate=fast", "is not a number above 0"],
    ["learningRate=none", "is not a number above 0"],
    ["refineReward=always", "one of versus-group, versus-single, any-refinement, none"],
    ["maskTruncated=1", "true or false"],
    ["adamW=1", "cannot be set as a whole → Set one of adamW.beta1"],
    ["adamW.speed=1", "no option"],
    ["plainAccuracyWindow=1", "2 numbers"],
    ["x.plainAccuracyWindow=1", "no option"],
    ["__proto__.x=1", "no option"],
    ["constructor=1", "no option"],
    ["adamW.toString=1", "no option"],
  ])("%s is refused: %s", (setting, reason) => expect(refusal(() => apply([setting]))).toContain(reason));

  test("a wrong name is answered with all names, the optional and the nested among them", () => {
    const advice = refusal(() => apply(["speed=1"]));
    for (const name of ["refinedSamples", "adamW.weightDecay", "prompts.refine", "plainAccuracyWindow"])
      expect(advice).toContain(name);
  });

  test("every option of SCoRe can be set", () => {
    for (const [name, spec] of optionsByName(scoreOptions)) {
      if (name === "topP" || name === "topK") continue;
      const value = { integer: 3, number: 0.5, boolean: true, choice: spec.choices?.at(-1), text: "Look again." }[
        spec.type as "integer"
      ];
      const change = readSetting("score", scoreOptions, `${name}=${value}`);
      expect(valueByName(changedOptions("score", scoreOptions, paperScoreOptions, change), name), name).toBe(value);
    }
    expect(readSetting("score", scoreOptions, "prompts.system=")).toEqual({ prompts: { system: "" } });
  });
});

describe("a setting, a file and a call are refused alike", () => {
  test.each<[string, unknown, string]>([
    ["steps=-1", { steps: -1 }, "pasr: steps=-1 is not a whole number from 1"],
    ["step=3", { step: 3 }, "pasr has no option “step” → Did you mean steps?"],
    ["learningRate=NaN", { learningRate: Number.NaN }, "pasr: learningRate=NaN is not a number above 0"],
    ["steps=many", { steps: "many" }, "pasr: steps=many is not a whole number from 1"],
    ["adamW.beta1=2", { adamW: { beta1: 2 } }, "pasr: adamW.beta1=2 is not a number from 0 to 1"],
    ["adamW=1", { adamW: 1 }, "pasr: adamW cannot be set as a whole"],
    ["refinedSamples=1", { refinedSamples: 1 }, "pasr: refinedSamples=1 is not a whole number from 2"],
    ["plainSamples=0", { plainSamples: 0 }, "pasr: plainSamples must be at least 1"],
  ])("%s", async (setting, given, message) => {
    const choose = (options: object) => chosenOptions(pasr, worldSource, { options });
    const bySetting = refusal(() => choose(readSetting("pasr", pasr.options, setting)));
    expect(bySetting).toContain(message);
    expect(refusal(() => choose(given as object))).toBe(bySetting);
    // A program that calls the training itself meets the same sentence.
    const options = { ...smallWorldPasrOptions, ...(given as object) } as PasrOptions;
    await expect(trainPasr({ options } as Parameters<typeof trainPasr>[0])).rejects.toThrow(bySetting.split(" → ")[0]);
  });

  test("what fits one by one and not together", () => {
    expect(refusal(() => checkScoreOptions({ ...paperScoreOptions, stageOneSteps: 0, stageTwoSteps: 0 }))).toContain("together");
    expect(refusal(() => checkScoreOptions({ ...paperScoreOptions, baseFirstShare: 1 }))).toContain("below 1");
  });
});

describe("changes", () => {
  const options = recipeOptions({
    rate: { type: "number", default: 1, description: "rate" },
    stop: { type: "integer", default: undefined, description: "when to stop" },
    inner: { depth: { type: "integer", default: 2, description: "depth" } },
  });

  test("undefined and null leave what has a value, and take away what may be without", () => {
    const start = { ...defaultsOf(options), rate: 3, stop: 4 };
    expect(changedOptions("it", options, start, { rate: undefined, stop: undefined })).toEqual({ ...start, stop: undefined });
    expect(changedOptions("it", options, start, { rate: null, stop: null })).toEqual({ ...start, stop: undefined });
  });

  test("other defaults, where another paper has them", () => {
    const others = withDefaults(options, { inner: { depth: 9 } });
    expect(defaultsOf(others)).toEqual({ rate: 1, stop: undefined, inner: { depth: 9 } });
    expect(defaultsOf(options).inner.depth).toBe(2);
  });
});

describe.each(recipes.map((card) => [card.id, card] as const))("%s", (_id, card) => {
  test.each(Object.keys(card.presets))("its preset %s passes its own check, and a run of it costs something", (preset) => {
    const values = chosenPreset(card, worldSource, preset);
    expect(changedOptions(card.id, card.options, defaultsOf(card.options), values)).toEqual(values);
    const { answers, steps = 1 } = card.costs(values);
    expect(answers).toBeGreaterThanOrEqual(0);
    expect(steps).toBeGreaterThan(0);
  });

  test("its flags name options that there are", () => {
    const names = [...optionsByName(card.options).keys()];
    for (const flag of Object.values(card.flags ?? {})) if ("option" in flag) expect(names).toContain(flag.option);
  });

  test("another preset than it has is answered with those it has", () => {
    const advice = refusal(() => chosenPreset(card, worldSource, "huge"));
    for (const preset of Object.keys(card.presets)) expect(advice).toContain(preset);
  });
});

/** Every option of every card that is a number or a list of them. */
const numeric = recipes.flatMap((card) =>
  [...optionsByName(card.options)]
    .filter(([, { type }]) => type === "number" || type === "integer" || type === "numbers")
    .map(([name, spec]) => ({ card, name, spec })),
);

describe("every setting has a range, the same by flag, file and library", () => {
  const options = (card: (typeof recipes)[number]) => card.options as RecipeOptions;
  const byFlag = (card: (typeof recipes)[number], name: string, value: unknown) =>
    refusal(() => readSetting(card.id, options(card), `${name}=${value}`));
  const byFile = (card: (typeof recipes)[number], name: string, value: unknown) =>
    refusal(() => changedOptions(card.id, options(card), defaultsOf(options(card)), changeOf(name, value)));

  test("no number of any recipe may be negative, no number, or without end where none is meant", () => {
    for (const { card, name, spec } of numeric) {
      const list = (value: number) => (spec.type === "numbers" ? Array.from({ length: spec.length ?? 1 }, () => value) : value);
      const negative = (spec.minimum ?? 0) < 0 ? [] : [-1, -1e-9];
      const never = [...negative, Number.NaN, Number.NEGATIVE_INFINITY];
      const endless = spec.maximum === Number.POSITIVE_INFINITY ? [] : [Number.POSITIVE_INFINITY];
      const parts = spec.type === "integer" ? [1.5] : [];
      for (const value of [...never, ...endless, ...parts].map(list)) {
        expect(byFlag(card, name, value), `${card.id} ${name}=${value}`).toContain(name);
        expect(byFile(card, name, value), `${card.id} ${name}: ${value}`).toContain(name);
      }
      for (const value of ["3", "", "many", true, {}]) expect(byFile(card, name, value), `${card.id} ${name}`).toContain(name);
      expect(byFlag(card, name, "1e999"), `${card.id} ${name}=1e999`).toContain(name);
    }
    expect(numeric.length).toBeGreaterThan(100);
  });

  test("rates, norms, temperatures of sampling that is trained on, and what is divided by are never 0; decays of means are below 1", () => {
    const positive = numeric.filter(({ name }) => /learningRate$|maxGradientNorm$|\bepsilon$/.test(name));
    expect(positive.length).toBeGreaterThan(20);
    for (const { card, name } of positive) expect(byFlag(card, name, 0), `${card.id} ${name}=0`).toContain(name);
    for (const { card, name } of numeric.filter((each) => /beta[12]$/.test(each.name)))
      expect(byFlag(card, name, 1), `${card.id} ${name}=1`).toContain("below 1");
    expect(byFlag(pasr as never, "advantageEpsilon", 0)).toContain("above 0");
    expect(byFlag(pasr as never, "plainAccuracyWindow", "0.9,0.1")).toContain("the smaller first");
  });

  test("a program's call of a training refuses what a flag refuses, before anything is trained", async () => {
    const bent = { learningRate: -3e-4 };
    const training = { ...smallWeighted, ...bent };
    const nothing = {} as never;
    const calls = {
      pasr: () => trainPasr({ options: { ...smallWorldPasrOptions, ...bent } } as never),
      score: () => trainScore({ options: { ...paperScoreOptions, ...bent } } as never),
      sft: () => trainSupervised({ options: { ...worldSftOptions, ...bent } } as never),
      ptr: () => trainPtr({ options: { ...smallPtrOptions, ...bent } } as never),
      "pasr-ift": () => trainPasrIft({ options: training, paths: nothing } as never),
      isc: () => trainIsc({ options: { ...smallIscOptions, training } } as never),
      rise: () => trainRise({ options: { ...smallRiseOptions, training } } as never),
      star: () => trainStar({ options: { ...smallStarOptions, training: { ...smallStarOptions.training, ...bent } } } as never),
    };
    expect(Object.keys(calls).sort()).toEqual(recipes.map(({ id }) => id).sort());
    for (const [id, call] of Object.entries(calls))
      await expect(call(), id).rejects.toMatchObject({ code: "option-value", message: expect.stringContaining("learningRate") });
  });

  test.each([
    { items: 1.5 },
    { items: -1 },
    { seed: Number.NaN },
    { threads: 0 },
    { keepCheckpoints: 0 },
    { lora: 2.5 },
    { lora: 8, loraAlpha: -1 },
    { lora: 8, loraDropout: 1 },
    { lora: 8, loraDropout: Number.NaN },
  ])("runRecipe refuses %j before anything is written", async (setting) => {
    await expect(runRecipe(pasr, { out: "/proc/never-made", ...setting })).rejects.toMatchObject({ code: "option-value" });
  });
});
