/** `midcourse completion`: the script that lets a shell complete commands, options and names. */
import { Argument, type Command } from "commander";
import { completedCommands, completionScript, type Shell, shells } from "../terminal/completion.ts";

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .description("completion of commands, options, methods, tasks and recipes, as a script for a shell")
    .addArgument(new Argument("<shell>", "the shell that is to complete").choices(shells))
    .addHelpText(
      "after",
      `
Examples:
  eval "$(midcourse completion bash)"                                    in ~/.bashrc
  eval "$(midcourse completion zsh)"                                     in ~/.zshrc, behind compinit
  midcourse completion fish > ~/.config/fish/completions/midcourse.fish
`,
    )
    .action(async (shell) => {
      process.stdout.write(await completion(shell, program));
    });
}

async function completion(shell: Shell, program: Command): Promise<string> {
  const [{ methodCards }, { tasks }, { recipes }, { optionsByName }, { recipeCommand }, { gradeKinds }] = await Promise.all([
    import("#methods/catalogue.ts"),
    import("#tasks/catalogue.ts"),
    import("#recipes/catalogue.ts"),
    import("#recipes/recipe-options.ts"),
    import("./train/train.ts"),
    import("./grade.ts"),
  ]);
  const names = tasks.map(({ id }) => id);
  const commands = completedCommands(program, {
    methods: methodCards.map(({ id }) => id),
    tasks: names,
    kinds: [...new Set([...gradeKinds, ...names])],
    recipes: recipes.map((card) => ({
      id: card.id,
      command: recipeCommand(card),
      settings: [...optionsByName(card.options).keys()],
      presets: Object.keys(card.presets),
    })),
  });
  return completionScript(shell, commands);
}
