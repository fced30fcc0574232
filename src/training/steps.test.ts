import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learningRateAt, type Schedule } from "./steps.ts";

const base: Schedule = { shape: "cosine", peak: 1e-3, floor: 0.1, warmupSteps: 10, totalSteps: 101 };

describe("learning rate", () => {
  test("rises linearly and already moves at step 0", () => {
    expect(learningRateAt(0, base)).toBeCloseTo(1e-4, 12);
    expect(learningRateAt(9, base)).toBeCloseTo(1e-3, 12);
    expect(learningRateAt(10, base)).toBeCloseTo(1e-3, 12);
  });

  test("ends at the floor, half way in the middle", () => {
    for (const shape of ["linear", "cosine"] as const) {
      expect(learningRateAt(100, { ...base, shape })).toBeCloseTo(1e-4, 12);
      expect(learningRateAt(55, { ...base, shape })).toBeCloseTo(5.5e-4, 12);
      expect(learningRateAt(1000, { ...base, shape })).toBeCloseTo(1e-4, 12);
    }
    expect(learningRateAt(100, { ...base, shape: "constant" })).toBe(1e-3);
  });

  test("never rises after the warm-up, never leaves [floor·peak, peak]", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("constant" as const, "linear" as const, "cosine" as const),
        fc.nat(20),
        fc.integer({ min: 1, max: 60 }),
        (shape, warmupSteps, more) => {
          const schedule = { ...base, shape, warmupSteps, totalSteps: warmupSteps + more };
          for (let step = warmupSteps; step < schedule.totalSteps; step++) {
            const rate = learningRateAt(step, schedule);
            expect(rate).toBeLessThanOrEqual(base.peak * (1 + 1e-12));
            expect(rate).toBeGreaterThanOrEqual(base.peak * base.floor * (1 - 1e-12));
            if (step > warmupSteps) expect(rate).toBeLessThanOrEqual(learningRateAt(step - 1, schedule) + 1e-15);
          }
        },
      ),
    );
  });

  test("without warm-up the first step has the peak", () => {
    expect(learningRateAt(0, { ...base, warmupSteps: 0, totalSteps: 1 })).toBe(1e-3);
  });
});
