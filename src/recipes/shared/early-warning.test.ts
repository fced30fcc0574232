import { expect, test } from "vitest";
import { earlyWarning, type StepSigns } from "./early-warning.ts";

function notesOf(steps: readonly StepSigns[]): string[] {
  const notes: string[] = [];
  const recorded: unknown[] = [];
  const warn = earlyWarning({ event: (_type, { message }: { message?: string } = {}) => void recorded.push(message) }, (note) =>
    notes.push(note),
  );
  for (const step of steps) warn(step);
  expect(recorded).toEqual(notes);
  return notes;
}

test("five steps without a right answer are told once, with what to do", () => {
  const notes = notesOf(Array(20).fill({ someRight: false, someTaught: true }));
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain("midcourse train sft");
});

test("five steps in which all answers earned the same are told", () => {
  expect(notesOf(Array(5).fill({ someRight: true, someTaught: false }))).toEqual([expect.stringContaining("earned the same")]);
});

test("one right answer and one group that teaches are enough to be silent, and so are fewer steps", () => {
  const nothing = { someRight: false, someTaught: false };
  expect(notesOf([nothing, nothing, { someRight: true, someTaught: true }, nothing, nothing, nothing])).toEqual([]);
  expect(notesOf(Array(4).fill(nothing))).toEqual([]);
});
