/** The options that choose a model, shared by every command that asks one. `open-model.ts` opens what they say. */
import { Option } from "commander";
import { fromOne, wholeNumber } from "./option-numbers.ts";

/** `cacheDefault` completes “(default: …)” in the help. */
export function modelOptions(cacheDefault = "no cache"): Option[] {
  return [
    new Option(
      "--model <name or folder>",
      "a checkpoint folder, or a model of an OpenAI-compatible server (default: the server's only model, or the shipped model)",
    ),
    new Option("--base-url <address>", "server such as http://127.0.0.1:8000/v1 (default: OPENAI_BASE_URL, or OpenAI)"),
    new Option("--api-key-env <variable>", "environment variable with the key (default: OPENAI_API_KEY)"),
    new Option("--concurrency <number>", "most requests at once; refusals by the server lower it (default: 32)").argParser(
      fromOne,
    ),
    new Option("--retries <number>", "tries after a failed request (default: 5)").argParser(wholeNumber),
    new Option("--cache <folder>", `where answers are kept, so that nothing is asked or paid twice (default: ${cacheDefault})`),
    new Option("--no-cache", "ask again for everything"),
    new Option("--prices <file>", "JSON table of dollars per million tokens, over the built-in one"),
    new Option("--threads <number>", "cores for a checkpoint folder (default: all, up to 8)").argParser(fromOne),
    new Option(
      "--reasoning-tags <what>",
      "<think> at the start of an answer: keep it in the text, split it off, split-from-start where the prompt opens it, or join what the server split off (default: keep)",
    ).choices(["keep", "split", "split-from-start", "join"]),
    new Option("--idle-seconds <number>", "give up on a request when the server is silent for so long (default: 600)").argParser(
      fromOne,
    ),
    new Option("--extra-body <json>", 'fields for every request, such as {"top_k":20} or {"reasoning_effort":"low"}'),
    new Option("--no-probe", "send no test requests to a server that is not known"),
  ];
}
