/** The options of a recipe with each preset's values, as the command line and the documentation print them. */
import { allowed } from "#kernel/options.ts";
import { escapeMarkdown } from "#text/markdown.ts";
import { wrapText } from "#text/table.ts";
import type { RecipeCard } from "./recipe-card.ts";
import { optionsByName, valueByName } from "./recipe-options.ts";
import { chosenPreset } from "./run-recipe.ts";
import { worldSource } from "./sources/world-source.ts";

interface OptionRow {
  name: string;
  /** By preset; those that say the same of everything stand once. */
  values: Readonly<Record<string, string>>;
  takes: string;
  description: string;
  paper: string;
}

/** On the small world, to whose prompts and lengths a preset may fit itself. */
function optionRows(card: RecipeCard): OptionRow[] {
  const presets = Object.entries(card.presets).filter(
    ([, preset], index, all) => all.findIndex(([, other]) => other === preset) === index,
  );
  const chosen = presets.map(([name]) => [name, chosenPreset(card, worldSource, name)] as const);
  return [...optionsByName(card.options)].map(([name, option]) => ({
    name,
    values: Object.fromEntries(chosen.map(([preset, values]) => [preset, shown(valueByName(values, name))])),
    takes: allowed(option),
    description: option.description,
    paper: option.paper ?? "",
  }));
}

function shown(value: unknown): string {
  if (value === undefined) return "–";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** Lines for a terminal. */
export function optionLines(card: RecipeCard, width: number): string[] {
  return optionRows(card).flatMap(({ name, values, takes, description, paper }) => [
    `${name}  ${
      [...new Set(Object.values(values))].length === 1
        ? Object.values(values)[0]
        : Object.entries(values)
            .map(([preset, value]) => `${preset} ${value}`)
            .join(", ")
    }`,
    ...wrapText(`    ${description}; ${takes}${paper === "" ? "" : `. Paper: ${paper}`}`, width, "    "),
  ]);
}

/** docs/recipe-options.md: `node scripts/recipe-options.ts` writes it. */
export function recipeOptionsPage(cards: readonly RecipeCard[]): string {
  const sections = cards.map((card) => {
    const paper = card.paper ? ` “${card.paper.title}”, arXiv ${card.paper.arxiv}, ${card.paper.year}.` : "";
    return `## ${card.name}\n\n\`midcourse train ${card.id}\`: ${card.summary}.${paper} Status: ${card.status}.\n\n${optionTable(card)}\n`;
  });
  return `# The options of each recipe\n\n${introduction}\n\n${sections.join("\n")}`;
}

const introduction = `Printed from the cards by \`node scripts/recipe-options.ts\`; \`midcourse train RECIPE --options\` prints the same. Each can be given as
\`--set name=value\`, in a file for \`--settings\` and in a program's call, and is refused alike where it does not fit. Values are those on the small
world; some presets take their prompts and lengths from a file's questions. What the authors' own names are is in
[paper-settings.md](paper-settings.md).`;

function optionTable(card: RecipeCard): string {
  const rows = optionRows(card);
  const presets = Object.keys(rows[0]?.values ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["option", ...presets, "the paper", "what it is"]),
    `|${"---|".repeat(presets.length + 3)}`,
    ...rows.map(({ name, values, takes, description, paper }) =>
      line([
        `\`${name}\``,
        ...presets.map((preset) => escapeMarkdown(values[preset])),
        escapeMarkdown(paper),
        escapeMarkdown(`${description}; ${takes}`),
      ]),
    ),
  ].join("\n");
}
