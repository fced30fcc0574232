import { expect, test } from "vitest";
import { smallWorldPasrOptions } from "#recipes/pasr-options.ts";
import { applySettings } from "./pasr-settings.ts";

test("numbers, names, nested options and the window are set; the preset itself stays", () => {
  const changed = applySettings(smallWorldPasrOptions, [
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
  expect(applySettings(changed, ["plainAccuracyWindow=none"]).plainAccuracyWindow).toBeUndefined();
  expect(smallWorldPasrOptions.prompts.refine).not.toBe("Think = twice.");
});

test.each([
  ["learningRat=1", "no option"],
  ["learningRate", "name=value"],
  ["learningRate=", "needs a number"],
  ["learningRate=fast", "needs a number"],
  ["refineReward=always", "one of"],
  ["maskTruncated=1", "true or false"],
  ["adamW=1", "cannot be set"],
  ["adamW.speed=1", "no option"],
  ["plainAccuracyWindow=1", "low,high"],
  ["__proto__.x=1", "no option"],
])("%s is refused: %s", (setting, reason) => {
  expect(() => applySettings(smallWorldPasrOptions, [setting])).toThrow(reason);
});
