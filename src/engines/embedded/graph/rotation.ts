/** Cosine and sine tables of the rotary embedding, computed in float64 once and cut to the length a graph asks for. */
import type { ModelConfig } from "../checkpoint/config.ts";

/** [positions, D/2] each. */
export interface RotationTables {
  positions: number;
  cosines: Float32Array;
  sines: Float32Array;
}

export class RotationCache {
  readonly #config: ModelConfig;
  #tables: RotationTables = { positions: 0, cosines: new Float32Array(0), sines: new Float32Array(0) };

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  /** Tables with this many rows or more. */
  atLeast(positions: number): RotationTables {
    if (positions > this.#tables.positions) {
      this.#tables = computeTables(this.#config, Math.max(positions, 2 * this.#tables.positions, 64));
    }
    return this.#tables;
  }

  /** The inputs `cosines` and `sines` with exactly this many rows. */
  exactly(positions: number): { cosines: Float32Array; sines: Float32Array } {
    const { cosines, sines } = this.atLeast(positions);
    const length = (positions * this.#config.headSize) / 2;
    return { cosines: cosines.subarray(0, length), sines: sines.subarray(0, length) };
  }
}

function computeTables(config: ModelConfig, positions: number): RotationTables {
  const half = config.headSize / 2;
  const cosines = new Float32Array(positions * half);
  const sines = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let index = 0; index < half; index++) {
      const angle = position * config.inverseFrequencies[index];
      cosines[position * half + index] = Math.cos(angle) * config.attentionFactor;
      sines[position * half + index] = Math.sin(angle) * config.attentionFactor;
    }
  }
  return { positions, cosines, sines };
}
