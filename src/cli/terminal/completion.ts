/**
 * Completion in a shell, written from the commands themselves: what stands in `--help` is what Tab knows. A script holds everything, so that a
 * press of Tab starts no process; `midcourse completion` writes it anew where methods or commands have come.
 */
import type { Argument, Option } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** What may stand behind an option, or as a command's argument. */
export type Words =
  | { from: "list"; words: readonly string[]; isList?: boolean }
  | { from: "files" }
  | { from: "folders" }
  /** Whatever one writes. */
  | { from: "nothing" };

interface CompletedOption {
  /** `--out`, `-h`. */
  names: string[];
  description: string;
  /** Undefined for a switch. */
  words: Words | undefined;
}

export interface CompletedCommand {
  /** `data ptr`; empty for the program itself. */
  place: string;
  description: string;
  children: { name: string; description: string }[];
  options: CompletedOption[];
  /** Undefined where it takes none. */
  argument: Words | undefined;
}

/** What is read of a command, whatever its options' types are. */
export interface ReadCommand {
  name(): string;
  description(): string;
  readonly commands: readonly ReadCommand[];
  readonly options: readonly Option[];
  readonly registeredArguments: readonly Argument[];
}

export interface CompletionLists {
  methods: readonly string[];
  tasks: readonly string[];
  kinds: readonly string[];
  /** Recipes as commands of their own, with the words for `--set` and `--preset`. */
  recipes: readonly { id: string; command: ReadCommand; settings: readonly string[]; presets: readonly string[] }[];
}

/** Every command below `program`, the program first. */
export function completedCommands(program: ReadCommand, lists: CompletionLists): CompletedCommand[] {
  const named: Readonly<Record<string, Words>> = {
    "--methods": { from: "list", words: lists.methods, isList: true },
    "--method": { from: "list", words: lists.methods },
    "--tasks": { from: "list", words: lists.tasks, isList: true },
    "--task": { from: "list", words: lists.tasks },
    "--kind": { from: "list", words: lists.kinds },
  };
  const read = (command: ReadCommand, place: string, own: Readonly<Record<string, Words>>): CompletedCommand[] => {
    const children = command.commands.map((child) => ({ command: child, name: child.name() }));
    const recipes = place === "train" ? lists.recipes : [];
    const [argument] = command.registeredArguments;
    return [
      {
        place,
        description: command.description(),
        children: [
          ...children.map(({ command: child, name }) => ({ name, description: child.description() })),
          ...recipes.map(({ id, command: child }) => ({ name: id, description: child.description() })),
        ],
        options: [...command.options.map((option) => optionOf(option, own)), help],
        argument: argumentOf(argument?.name(), argument?.argChoices, place, lists),
      },
      ...children.flatMap(({ command: child, name }) => read(child, place === "" ? name : `${place} ${name}`, named)),
      ...recipes.flatMap(({ id, command: child, settings, presets }) =>
        read(child, `train ${id}`, {
          ...named,
          "--set": { from: "list", words: settings.map((name) => `${name}=`) },
          "--preset": { from: "list", words: presets },
        }),
      ),
    ];
  };
  return read(program, "", named);
}

const help: CompletedOption = {
  names: ["-h", "--help"],
  description: "what the command does, and its options",
  words: undefined,
};

function optionOf(option: Option, named: Readonly<Record<string, Words>>): CompletedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined && name !== null);
  return { names, description: option.description, words: wordsOf(option, named) };
}

function wordsOf(
  { flags, long, argChoices, required, optional }: Option,
  named: Readonly<Record<string, Words>>,
): Words | undefined {
  if (!required && !optional) return undefined;
  if (argChoices !== undefined) return { from: "list", words: argChoices };
  return named[long ?? ""] ?? placeholderOf(/[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? "");
}

function argumentOf(
  name: string | undefined,
  choices: readonly string[] | undefined,
  place: string,
  { methods }: CompletionLists,
): Words | undefined {
  if (name === undefined) return undefined;
  if (choices !== undefined) return { from: "list", words: choices };
  return place === "methods" ? { from: "list", words: methods } : placeholderOf(name);
}

/** Help names what stands there: `<folder>`, `<runs...>`, `<name or folder>`. */
function placeholderOf(name: string): Words {
  if (/folder|^runs?$/.test(name)) return { from: "folders" };
  return /file|recipe/.test(name) ? { from: "files" } : { from: "nothing" };
}

export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** The lines of a `case` that say in which command the cursor stands, from the words before it. */
function placesOf(commands: readonly CompletedCommand[], line: (from: string, name: string, to: string) => string): string[] {
  return commands.flatMap(({ place, children }) =>
    children.map(({ name }) => line(place, name, place === "" ? name : `${place} ${name}`)),
  );
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const filled = (words: Words): string => {
    if (words.from === "list") return `_midcourse_${words.isList ? "list" : "words"} ${quoted(words.words.join(" "))}`;
    return words.from === "nothing" ? ":" : `_midcourse_${words.from}`;
  };
  const values = commands.flatMap(({ place, options }) =>
    options.flatMap(({ names, words }) =>
      words === undefined
        ? []
        : [`    ${names.map((name) => quoted(`${place} ${name}`)).join("|")}) ${filled(words)}; return ;;`],
    ),
  );
  const flags = commands.map(
    ({ place, options }) =>
      `      ${quoted(place)}) _midcourse_words ${quoted(options.flatMap(({ names }) => names).join(" "))} ;;`,
  );
  const others = commands.flatMap(({ place, children, argument }) => {
    const own = children.length > 0 ? [`_midcourse_words ${quoted(children.map(({ name }) => name).join(" "))}`] : [];
    const more = argument === undefined || (children.length > 0 && argument.from !== "files") ? [] : [filled(argument)];
    return own.length + more.length === 0 ? [] : [`      ${quoted(place)}) ${[...more, ...own].at(-1)} ;;`];
  });
  return `# Completion of midcourse for bash, written by \`midcourse completion bash\`.
_midcourse_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$current"))
  if [[ "\${COMPREPLY[0]}" == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
_midcourse_list() {
  local IFS=$' \\t\\n' before=""
  if [[ "$current" == *,* ]]; then before="\${current%,*},"; fi
  COMPREPLY=($(compgen -P "$before" -W "$1" -- "\${current##*,}"))
}
_midcourse_paths() {
  local found start="$current"
  # Names are taken as they are: an array made of them would be split, and a star in one would stand for all files.
  case "$start" in
    \\"*|\\'*) start="\${start:1}" ;;
    *\\\\*) start="\${start//\\\\/}" ;;
  esac
  COMPREPLY=()
  while IFS= read -r found; do
    if [[ -e "$found" || -L "$found" || "$found" == "~"* ]]; then COMPREPLY+=("$found"); fi
  done < <(compgen "$1" -- "$start")
  compopt -o filenames 2>/dev/null
}
_midcourse_files() { _midcourse_paths -f; }
_midcourse_folders() { _midcourse_paths -d; }
_midcourse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="" index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$place>\${COMP_WORDS[index]}" in
${placesOf(commands, (from, name, to) => `      ${quoted(`${from}>${name}`)}) place=${quoted(to)} ;;`).join("\n")}
    esac
  done
  # Bash takes an equals sign for a word of its own: --data=FILE.
  if [[ "$current" == "=" && "$previous" == --* ]]; then current=""
  elif [[ "$previous" == "=" && COMP_CWORD -ge 2 ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  case "$place $previous" in
${values.join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    case "$place" in
${flags.join("\n")}
    esac
  else
    case "$place" in
${others.join("\n")}
    esac
  fi
}
complete -F _midcourse midcourse
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const filled = (words: Words): string => {
    if (words.from === "list") {
      const added = `compadd -- ${words.words.map(quoted).join(" ")}`;
      return words.isList ? `compset -P '*,'; ${added}` : added;
    }
    return { nothing: ":", files: "_files", folders: "_files -/" }[words.from];
  };
  const described = (entries: readonly { name: string; description: string }[]) =>
    entries.map(({ name, description }) => quoted(`${name.replaceAll(":", "\\:")}:${oneLine(description)}`)).join(" ");
  const values = commands.flatMap(({ place, options }) =>
    options.flatMap(({ names, words }) =>
      words === undefined
        ? []
        : [`    (${names.map((name) => quoted(`${place} ${name}`)).join("|")}) ${filled(words)}; return ;;`],
    ),
  );
  const flags = commands.map(({ place, options }) => {
    const entries = options.flatMap(({ names, description }) => names.map((name) => ({ name, description })));
    return `      (${quoted(place)}) found=(${described(entries)}) ;;`;
  });
  const others = commands.flatMap(({ place, children, argument }) => {
    if (children.length > 0) return [`      (${quoted(place)}) found=(${described(children)}) ;;`];
    return argument === undefined ? [] : [`      (${quoted(place)}) ${filled(argument)}; return ;;`];
  });
  return `#compdef midcourse
# Completion of midcourse for zsh, written by \`midcourse completion zsh\`.
_midcourse() {
  local place="" index
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    case "$place>\${words[index]}" in
${placesOf(commands, (from, name, to) => `      (${quoted(`${from}>${name}`)}) place=${quoted(to)} ;;`).join("\n")}
    esac
  done
  case "$place \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    case "$place" in
${flags.join("\n")}
    esac
  else
    case "$place" in
${others.join("\n")}
    esac
  fi
  _describe 'midcourse' found
}
if [[ "\${funcstack[1]}" == _midcourse ]]; then _midcourse "$@"; else compdef _midcourse midcourse; fi
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const filled = (words: Words | undefined): string => {
    if (words === undefined) return "";
    if (words.from === "list") {
      const all = fishQuoted(words.words.join(" "));
      return words.isList ? ` -x -a "(__midcourse_list ${all})"` : ` -x -a ${all}`;
    }
    return { nothing: " -x", files: " -r -F", folders: ` -x -a "(__fish_complete_directories)"` }[words.from];
  };
  const lines = commands.flatMap(({ place, children, options, argument }) => {
    const start = `complete -c midcourse -n ${fishQuoted(`__midcourse_at ${JSON.stringify(place)}`)}`;
    return [
      ...children.map(({ name, description }) => `${start} -f -a ${name} -d ${fishQuoted(oneLine(description))}`),
      ...options.map(({ names, description, words }) => {
        const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
        return `${start} ${flags}${filled(words)} -d ${fishQuoted(oneLine(description))}`;
      }),
      ...(children.length > 0 || argument === undefined ? [] : [`${start}${filled(argument)}`]),
    ];
  });
  return `# Completion of midcourse for fish, written by \`midcourse completion fish\`.
function __midcourse_at
  set -l place ""
  set -l words (commandline -opc)
  set -e words[1]
  for word in $words
    switch "$place>$word"
${placesOf(commands, (from, name, to) => `      case ${fishQuoted(`${from}>${name}`)}\n        set place ${fishQuoted(to)}`).join("\n")}
    end
  end
  test "$place" = "$argv[1]"
end
function __midcourse_list
  set -l before (string replace -r '[^,]*$' '' -- (commandline -ct))
  for word in (string split ' ' -- $argv[1])
    echo "$before$word"
  end
end
complete -c midcourse -f
${lines.join("\n")}
`;
}

/** For bash and zsh: nothing in single quotes is looked at. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Fish takes a backslash in single quotes for itself. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
