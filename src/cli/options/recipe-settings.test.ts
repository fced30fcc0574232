import { describe, expect, test } from "vitest";
import { smallWorldPasrOptions } from "#recipes/pasr/options.ts";
import { paperScoreOptions } from "#recipes/score/options.ts";
import { applySettings, pasrSettings, scoreSettings } from "./recipe-settings.ts";

const adviceOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { advice: string }).advice;
  }
  return "";
};

describe("PASR", () => {
  const apply = (settings: readonly string[], options = smallWorldPasrOptions) => applySettings(options, settings, pasrSettings);

  test("numbers, names, nested options and the window are set; the preset itself stays", () => {
    const changed = apply([
      "learningRate=1e-5",
      "refineReward=any-refinement",
      "adamW.weightDecay=0.1",
      "prompts.refine=Think = twice.",
      "maskTruncated=true",
      "plainAccuracyWindow=0,0.9",
    ]);
    expect(changed).toMatchObject({ learningRate: 1e-5, refineReward: "any-refinement", maskTruncated: true });
    expect(changed.adamW.weightDecay).toBe(0.1);
    expect(changed.prompts.refine).toBe("Think = twice.");
    expect(changed.plainAccuracyWindow).toEqual([0, 0.9]);
    expect(apply(["plainAccuracyWindow=none"], changed).plainAccuracyWindow).toBeUndefined();
    expect(smallWorldPasrOptions.prompts.refine).not.toBe("Think = twice.");
  });

  test.each([
    ["learningRat=1", "no option"],
    ["learningRate", "name=value"],
    ["learningRate=", "needs a number"],
    ["learningRate=fast", "needs a number"],
    ["refineReward=always", "one of versus-group, versus-single, any-refinement"],
    ["maskTruncated=1", "true or false"],
    ["adamW=1", "set one of adamW.beta1"],
    ["adamW.speed=1", "no option"],
    ["plainAccuracyWindow=1", "low,high"],
    ["x.plainAccuracyWindow=1", "no option"],
    ["__proto__.x=1", "no option"],
    ["constructor=1", "no option"],
    ["adamW.toString=1", "no option"],
  ])("%s is refused: %s", (setting, reason) => {
    expect(() => apply([setting])).toThrow(reason);
  });

  test("a wrong name is answered with all names, the optional and the nested among them", () => {
    const advice = adviceOf(() => apply(["speed=1"]));
    for (const name of ["refinedSamples", "adamW.weightDecay", "prompts.refine", "plainAccuracyWindow"])
      expect(advice).toContain(name);
  });
});

describe("SCoRe", () => {
  const apply = (...settings: string[]) => applySettings(paperScoreOptions, settings, scoreSettings);

  test("every option can be set, and each that is a word is held to its list", () => {
    const values: Record<string, string> = {
      schedule: "cosine",
      klPlacement: "loss",
      credit: "to-go",
      normaliser: "sequence-mean",
      earlierTurns: "as-sampled",
      keep: "last",
    };
    for (const [name, value] of Object.entries(paperScoreOptions)) {
      if (typeof value === "object") continue;
      const text = values[name] ?? (typeof value === "boolean" ? String(!value) : "3");
      expect(String(apply(`${name}=${text}`)[name as keyof typeof paperScoreOptions])).toBe(text);
      if (typeof value === "string") {
        expect(Object.keys(scoreSettings.choices), name).toContain(name);
        expect(() => apply(`${name}=other`)).toThrow("needs one of");
      }
    }
    expect(apply("prompts.system=", "prompts.retry=Look again.").prompts).toEqual({ system: "", retry: "Look again." });
    expect(apply("adamW.maxGradientNorm=Infinity").adamW.maxGradientNorm).toBe(Number.POSITIVE_INFINITY);
  });

  test("an option of another recipe is answered with the names of this one", () => {
    const work = () => apply("refineReward=any-refinement");
    expect(work).toThrow('no option "refineReward" of SCoRe');
    expect(adviceOf(work)).toContain("progressBonus");
    expect(adviceOf(() => apply("credit=both"))).toContain("--set");
  });
});
