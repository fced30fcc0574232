import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerTree, quality, type SearchConstants, upperBound } from "./answer-tree.ts";

const constants: SearchConstants = { exploration: 1.4, epsilon: 1e-5, maxChildren: 2 };

test.each([
  [[], undefined],
  [[0.8], 0.8],
  [[0.2, 0.6], 0.3],
  [[0, 0, 0.9], 0.15],
])("quality of %j is %s", (scores, expected) => {
  if (expected === undefined) expect(quality(scores)).toBeUndefined();
  else expect(quality(scores)).toBeCloseTo(expected, 12);
});

test("the bound falls with a node's own visits and rises with its father's", () => {
  expect(upperBound(0.5, 1, Math.E - 1, 1.4, 0)).toBeCloseTo(1.9, 12);
  expect(upperBound(0.5, 0, 3, 1.4, 1e-5)).toBeGreaterThan(100);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1000), fc.nat(1000), (value, visits, father) => {
      const bound = upperBound(value, visits, father, 1.4, 1e-5);
      expect(bound).toBeGreaterThanOrEqual(value);
      expect(upperBound(value, visits + 1, father, 1.4, 1e-5)).toBeLessThanOrEqual(bound);
      expect(upperBound(value, visits, father + 1, 1.4, 1e-5)).toBeGreaterThanOrEqual(bound);
    }),
  );
});

test("a score far below reaches every level above, and so does a visit", () => {
  const tree = new AnswerTree(constants);
  const [root, child] = [tree.add(), tree.add(0)];
  const grandchild = tree.add(child);
  tree.score(root, 0.2);
  tree.score(child, 0.4);
  expect(tree.valueOf(root)).toBeCloseTo((0.2 + (0.4 + 0) / 2) / 2, 12);
  tree.score(grandchild, 1);
  expect([grandchild, child, root].map((node) => tree.valueOf(node))).toEqual([1, 0.7, expect.closeTo(0.45, 12)]);
  expect([root, child, grandchild].map((node) => tree.visitsOf(node))).toEqual([3, 2, 1]);
  expect(tree.qualityOf(root)).toBe(0.2);
});

describe("selection", () => {
  test("takes the earliest of equals", () => {
    const tree = new AnswerTree(constants);
    tree.add();
    tree.add();
    expect(tree.select().node).toBe(0);
  });

  test("leaves a node with enough children once one of them is worth more, and not before", () => {
    const tree = new AnswerTree({ ...constants, exploration: 0 });
    tree.score(tree.add(), 0.9);
    const children = [tree.add(0), tree.add(0)];
    tree.score(children[0], 0.1);
    tree.score(children[1], 0.3);
    // Worth (0.9 + 0.3) / 2, and no child is worth more than 0.9.
    expect(tree.select()).toMatchObject({ node: 0, bound: expect.closeTo(0.6, 12) });
    tree.score(tree.add(0), 1);
    expect(tree.select().node).toBe(3);
  });

  test("is not near greedy: a node rarely visited is tried again", () => {
    const tree = new AnswerTree(constants);
    tree.score(tree.add(), 0.6);
    tree.score(tree.add(), 0.5);
    for (let visit = 0; visit < 4; visit++) tree.score(tree.add(0), 0.1);
    expect(tree.select().node).toBe(1);
  });
});

test("whatever happens, values stay among the scores, visits add up and there is a node to go on from", () => {
  const step = fc.record({ pick: fc.nat(), score: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, follow) => {
      const tree = new AnswerTree(constants);
      let count = 1;
      tree.add();
      for (const { pick, score } of steps) {
        const parent = follow ? tree.select().node : pick % count;
        expect(parent).toBeGreaterThanOrEqual(0);
        const node = tree.add(parent);
        count += 1;
        if (score !== undefined) tree.score(node, score);
      }
      for (let node = 0; node < count; node++) {
        expect(tree.valueOf(node)).toBeGreaterThanOrEqual(0);
        expect(tree.valueOf(node)).toBeLessThanOrEqual(1);
      }
      expect(tree.visitsOf(0)).toBe(count);
    }),
  );
});
