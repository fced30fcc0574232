/**
 * The inner loop of AdamW as a WebAssembly function of 128-bit vectors, assembled here instruction by instruction: four float32 lanes
 * at a time, each operation rounded to float32 in a fixed order, so the numbers are the same on every machine.
 */

/** Floats per array that one call works on: four arrays of 16 KiB stay in the first-level caches. */
export const blockLength = 4096;

const blockBytes = blockLength * 4;

/** Constants of one step, in the order the function takes them; each is rounded to float32. */
export interface StepConstants {
  gradientScale: number;
  decay: number;
  beta1: number;
  oneMinusBeta1: number;
  beta2: number;
  oneMinusBeta2: number;
  /** 1 / √(1 − beta2^step). */
  inverseRootCorrection: number;
  epsilon: number;
  /** learningRate / (1 − beta1^step). */
  stepSize: number;
}

export interface AdamWKernel {
  /** Views of the kernel's own memory, `blockLength` floats each. */
  parameter: Float32Array;
  gradient: Float32Array;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
  /** Steps the first `count` floats of the block, rounded up to a multiple of four. */
  run(count: number, constants: StepConstants): void;
}

/** The part of the standard interface used here; the language's own type library leaves it to browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { exports: Exports };
};

interface Exports {
  memory: { buffer: ArrayBuffer };
  step(bytes: number, ...constants: number[]): void;
}

export function createAdamWKernel(): AdamWKernel {
  const { memory, step } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports;
  const view = (index: number) => new Float32Array(memory.buffer, index * blockBytes, blockLength);
  return {
    parameter: view(0),
    gradient: view(1),
    firstMoment: view(2),
    secondMoment: view(3),
    run(count, constants) {
      step(
        Math.ceil(count / 4) * 16,
        constants.gradientScale,
        constants.decay,
        constants.beta1,
        constants.oneMinusBeta1,
        constants.beta2,
        constants.oneMinusBeta2,
        constants.inverseRootCorrection,
        constants.epsilon,
        constants.stepSize,
      );
    },
  };
}

// Locals: the parameters first (bytes, then nine float32 constants), then the offset, the vectors and the splatted constants.
const bytes = 0;
const constantCount = 9;
const offset = 1 + constantCount;
const [gradient, first, second] = [offset + 1, offset + 2, offset + 3];
const splatted = offset + 4;
const [gradientScale, decay, beta1, oneMinusBeta1, beta2, oneMinusBeta2, inverseRootCorrection, epsilon, stepSize] = Array.from(
  { length: constantCount },
  (_, index) => splatted + index,
);

const types = { i32: 0x7f, f32: 0x7d, vector: 0x7b, none: 0x40 };

function assemble(): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil((4 * blockBytes) / 65_536);
  const signature = [0x60, ...list([[types.i32], ...Array.from({ length: constantCount }, () => [types.f32])]), ...list([])];
  const exported = [
    [...text("memory"), 0x02, 0x00],
    [...text("step"), 0x00, 0x00],
  ];
  const locals = list([
    [...unsigned(1), types.i32],
    [...unsigned(3 + constantCount), types.vector],
  ]);
  const body = [...locals, ...instructions(), op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([signature])),
    ...section(3, list([unsigned(0)])),
    ...section(5, list([[0x00, ...unsigned(pages)]])),
    ...section(7, list(exported)),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}

function instructions(): number[] {
  return [
    ...Array.from({ length: constantCount }, (_, index) => [...get(1 + index), ...op.splat, ...set(splatted + index)]).flat(),
    ...[op.loop, types.none],
    // g = gradient · scale
    ...load(1),
    ...[...get(gradientScale), ...op.multiply, ...set(gradient)],
    // m = m · beta1 + g · (1 − beta1)
    ...get(offset),
    ...load(2),
    ...[...get(beta1), ...op.multiply],
    ...[...get(gradient), ...get(oneMinusBeta1), ...op.multiply, ...op.add],
    ...tee(first),
    ...store(2),
    // v = v · beta2 + g² · (1 − beta2)
    ...get(offset),
    ...load(3),
    ...[...get(beta2), ...op.multiply],
    ...[...get(gradient), ...get(gradient), ...op.multiply, ...get(oneMinusBeta2), ...op.multiply, ...op.add],
    ...tee(second),
    ...store(3),
    // p = p · decay − stepSize · (m / (√v · correction + epsilon))
    ...get(offset),
    ...load(0),
    ...[...get(decay), ...op.multiply],
    ...[...get(stepSize), ...get(first)],
    ...[...get(second), ...op.squareRoot, ...get(inverseRootCorrection), ...op.multiply, ...get(epsilon), ...op.add],
    ...[...op.divide, ...op.multiply, ...op.subtract],
    ...store(0),
    // Four floats further, until all are done.
    ...[...get(offset), op.i32Constant, 16, op.i32Add, ...tee(offset)],
    ...[...get(bytes), op.i32LessUnsigned, op.branchIf, 0],
    op.end,
  ];
}

const simd = (code: number) => [0xfd, ...unsigned(code)];
const op = {
  loop: 0x03,
  branchIf: 0x0d,
  end: 0x0b,
  i32Constant: 0x41,
  i32Add: 0x6a,
  i32LessUnsigned: 0x49,
  splat: simd(0x13),
  squareRoot: simd(0xe3),
  add: simd(0xe4),
  subtract: simd(0xe5),
  multiply: simd(0xe6),
  divide: simd(0xe7),
};

function get(local: number): number[] {
  return [0x20, ...unsigned(local)];
}

function set(local: number): number[] {
  return [0x21, ...unsigned(local)];
}

function tee(local: number): number[] {
  return [0x22, ...unsigned(local)];
}

/** Pushes the vector at `offset` in array 0 (parameter), 1 (gradient), 2 (first moment) or 3 (second moment). */
function load(array: number): number[] {
  return [...get(offset), ...simd(0x00), alignment, ...unsigned(array * blockBytes)];
}

/** Stores the vector on the stack at the offset below it. */
function store(array: number): number[] {
  return [...simd(0x0b), alignment, ...unsigned(array * blockBytes)];
}

/** As a power of two: 16 bytes. */
const alignment = 4;

/** LEB128, as every count and index is written. */
function unsigned(value: number): number[] {
  const result: number[] = [];
  do {
    const rest = value >>> 7;
    result.push((value & 0x7f) | (rest === 0 ? 0 : 0x80));
    value = rest;
  } while (value !== 0);
  return result;
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  const encoded = new TextEncoder().encode(value);
  return [...unsigned(encoded.length), ...encoded];
}
