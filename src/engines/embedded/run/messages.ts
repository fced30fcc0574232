/** What crosses between the engine and its worker. */
import { MidcourseError } from "#kernel/errors.ts";

/** A call on a model; target 0 is the live one, others are frozen copies. */
export type Request =
  | { type: "call"; id: number; target: number; method: string; parameters: unknown[] }
  | { type: "abort"; id: number };

export type Response = { id: number; value: unknown } | { id: number; error: WireError };

export interface WireError {
  family: string;
  code: string;
  message: string;
  advice?: string | undefined;
  stack?: string | undefined;
}

export function toWire(error: unknown): WireError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!MidcourseError.isInstance(error)) return { family: "bug", code: "engine-failure", message, stack };
  const { family, code, what, advice } = error;
  return { family, code, message: what, advice, stack };
}

export function fromWire(wire: WireError): MidcourseError {
  const { family, code, message, advice } = wire;
  const error = new MidcourseError(family as MidcourseError["family"], code, message, { advice });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
