/** The options of an adapter, shared by the training commands. */
import { InvalidArgumentError, Option } from "commander";
import { fromOne, share } from "./option-numbers.ts";

export interface AdapterOptions {
  lora?: number;
  loraDropout?: number;
}

export function loraOption(): Option {
  return new Option("--lora <rank>", "train a low-rank adapter beside frozen weights, saved in PEFT's layout").argParser(fromOne);
}

export function loraDropoutOption(): Option {
  const words = "share of the adapter's inputs left out while training, PEFT's lora_dropout (default: 0)";
  return new Option("--lora-dropout <share>", words).argParser(shareBelowOne);
}

function shareBelowOne(text: string): number {
  const value = share(text);
  if (value === 1) throw new InvalidArgumentError("It must be below 1.");
  return value;
}
