/** The cache against a plain list of rows: loading, appending, growing and closing up in any order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../checkpoint/config.ts";
import { newConfig } from "../checkpoint/create.ts";
import { keysName, valuesName } from "../graph/decoding-graph.ts";
import { Cache } from "./cache.ts";

const [layers, heads, size, slots, most] = [2, 2, 4, 4, 70];
const model = {
  vocabularySize: 8,
  hiddenSize: 16,
  intermediateSize: 8,
  layers,
  heads: 4,
  keyValueHeads: heads,
  maxContextTokens: 128,
};
const config = parseConfig(newConfig(model), "config.json");

/** A row's tokens; every number of the cache follows from (row, token, layer, head, place). */
interface Row {
  name: number;
  tokens: number;
}
const key = (name: number, token: number, layer: number, head: number, place: number) =>
  1 + place + 10 * head + 100 * layer + 1000 * token + 100_000 * name;

function promptOf(row: Row) {
  const fill = (sign: number) =>
    Array.from({ length: layers }, (_, layer) => {
      const data = new Float32Array(heads * row.tokens * size);
      for (let head = 0; head < heads; head++) {
        for (let token = 0; token < row.tokens; token++) {
          for (let place = 0; place < size; place++) {
            data[(head * row.tokens + token) * size + place] = sign * key(row.name, token, layer, head, place);
          }
        }
      }
      return data;
    });
  return row.tokens === 0 ? undefined : { length: row.tokens, keys: fill(1), values: fill(-1) };
}

function newTokens(rows: Row[], sign: number): Float32Array {
  const data = new Float32Array(rows.length * heads * layers * size);
  rows.forEach((row, slot) => {
    for (let head = 0; head < heads; head++) {
      for (let layer = 0; layer < layers; layer++) {
        for (let place = 0; place < size; place++) {
          data[((slot * heads + head) * layers + layer) * size + place] = sign * key(row.name, row.tokens, layer, head, place);
        }
      }
    }
  });
  return data;
}

function check(cache: Cache, rows: Row[]): void {
  const feeds = cache.feeds(rows.length) as Record<string, Float32Array>;
  const columns = cache.columns;
  rows.forEach((row, slot) => {
    expect(cache.lengths[slot]).toBe(row.tokens);
    for (let column = 0; column < columns; column++) {
      const seen = column < row.tokens;
      expect(feeds.mask[slot * columns + column]).toBe(seen ? 0 : row.tokens === 0 ? Math.fround(-1e30) : -50);
    }
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const strip = slot * heads + head;
        for (let column = 0; column <= columns; column++) {
          // Unused keys repeat the first; unused values, and the column past the end, are zero.
          const shown = column < row.tokens ? column : 0;
          const expected = row.tokens === 0 ? 0 : key(row.name, shown, layer, head, 1);
          if (column < columns) expect(feeds[keysName(layer)][(strip * columns + column) * size + 1]).toBe(expected);
          const value = feeds[valuesName(layer)][(strip * (columns + 1) + column) * size + 1];
          expect(value).toBe(column < row.tokens ? -key(row.name, column, layer, head, 1) : 0);
        }
      }
    }
  });
}

const action = fc.oneof(
  fc.record({ do: fc.constant("load" as const), tokens: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ do: fc.constant("append" as const), times: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ do: fc.constant("end" as const), slot: fc.nat(slots - 1) }),
);

describe("the cache", () => {
  it("holds exactly what its rows were given", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
        const cache = new Cache(config, slots, most);
        const rows: Row[] = [];
        let name = 0;
        for (const step of actions) {
          if (step.do === "load" && rows.length < slots) {
            const row = { name: name++, tokens: step.tokens };
            cache.reserve(row.tokens + 1, rows.length);
            cache.load(rows.length, promptOf(row));
            rows.push(row);
          } else if (step.do === "append" && rows.length > 0) {
            for (let time = 0; time < step.times && rows.every((row) => row.tokens < most); time++) {
              cache.reserve(Math.max(...rows.map((row) => row.tokens)) + 1, rows.length);
              cache.append(rows.length, newTokens(rows, 1), newTokens(rows, -1));
              for (const row of rows) row.tokens++;
            }
          } else if (step.do === "end" && step.slot < rows.length) {
            cache.move(rows.length - 1, step.slot);
            rows[step.slot] = rows[rows.length - 1];
            rows.pop();
          }
          check(cache, rows);
        }
      }),
      { numRuns: 60 },
    );
  });
});
