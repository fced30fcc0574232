#!/usr/bin/env node
/** The `midcourse` command: parse, call, print. Each command's module is loaded only when it runs. */
import { Command } from "commander";
import { registerCommands } from "./commands.ts";
import { neverEnding, reportFailure } from "./terminal/failure.ts";
import { packageVersion } from "./terminal/process.ts";
import { guardStream, keepSecretsOfCommand, weakSecretWords } from "./terminal/secrets.ts";

keepSecretsOfCommand(process.argv.slice(2), process.env);
guardStream(process.stdout);
guardStream(process.stderr);
process.stderr.write(weakSecretWords());

const program = new Command("midcourse")
  .description(
    "Self-refinement for language models: run every method over any model, compare them at equal cost, train models to refine while they answer.",
  )
  .version(packageVersion())
  .showSuggestionAfterError()
  .showHelpAfterError("(midcourse --help lists the commands, midcourse --version says which version this is)")
  .addHelpText(
    "after",
    `
Examples:
  midcourse start                                   measure the shipped model, train it with PASR, measure again, write a report
  midcourse eval --model qwen3-8b --tasks gsm8k     methods side by side on a model at OPENAI_BASE_URL, resampling beside them
  midcourse solve "Take 704. Then add 2. Plus 9."   one question of the shipped model's small world, the method's steps live
  midcourse train pasr --out runs/mine --steps 200  the shipped model; --model FOLDER takes another checkpoint
  midcourse train sft --data questions.csv --question Question --answer Answer --out runs/from-scratch
  midcourse check-format --json < answers.jsonl     does each answer keep the think/refine/answer format?
`,
  );
registerCommands(program);

// A reader that closes early (`midcourse … | head`) ends the command quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// `npm start -- --fast` is how a checkout is started; by npx the same is meant. `start` takes no words that a -- could part from options.
const words = process.argv.slice(2);
if (words[0] === "start" && words[1] === "--") words.splice(1, 1);

// Of its own Node would end with a code and a warning that say nothing to whoever wrote what is waited for.
const isStuck = () => process.exit(reportFailure(neverEnding()));
process.once("beforeExit", isStuck);

try {
  await program.parseAsync(words, { from: "user" });
} catch (error) {
  process.exitCode = reportFailure(error);
} finally {
  process.off("beforeExit", isStuck);
}
