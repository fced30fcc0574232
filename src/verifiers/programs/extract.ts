/** Finds the program in a completion and makes it whole with the prompt it was to complete. Lines are read once; no pattern backtracks. */
import { visibleText } from "../answers/extract.ts";

export interface ProgramPrompt {
  /** The code to complete: imports, helper functions, the signature and its docstring. */
  prompt: string;
  entryPoint: string;
}

/** Of longer answers the end is read: no program worth running is that long. */
const longestAnswer = 200_000;

interface Block {
  language: string;
  code: string;
}

/**
 * The code in a completion, undefined when there is none: the last fenced block that defines `entryPoint`, with what it uses of other blocks,
 * else the last Python block, else the last block, else the text itself, read as a definition among prose or as the continuation of the
 * prompt (which, as usual, ends with the first line that is not indented). Indentation is kept. What a model thought beforehand, tagged as
 * such, is left out; thoughts that never ended are no answer.
 */
export function extractCode(completion: string, entryPoint: string): string | undefined {
  const text = visibleText(completion).slice(-longestAnswer).replaceAll("\r\n", "\n");
  if (text.trim() === "") return undefined;
  const { blocks, before } = fencedBlocks(text, entryPoint);
  if (before !== undefined && !blocks.some((block) => defines(block.code, entryPoint))) return bare(before, entryPoint);
  const written = blocks.filter((block) => block.code.trim() !== "");
  if (written.length === 0) return bare(text, entryPoint);
  const isPython = (block: Block) => /^(?:python\d?(?:\.\d+)?|py\d?|)$/i.test(block.language.replace(/[{}]|^\./g, ""));
  const defining = written.findLast((block) => defines(block.code, entryPoint));
  if (defining !== undefined) return withHelpers(defining, written, entryPoint);
  const body = written.findLast((block) => isPython(block) && /^[ \t]*return\b/m.test(block.code));
  return (body ?? written.findLast(isPython) ?? written[written.length - 1]).code;
}

/** Text without fences. */
function bare(text: string, entryPoint: string): string | undefined {
  if (text.trim() === "") return undefined;
  return defines(text, entryPoint) ? definitionsInProse(text) : continuation(text);
}

/**
 * One program out of prompt and code. Code that defines the function itself gets what stands before the function in the prompt (imports,
 * helpers); anything else is taken for the body, set to the right depth if its indentation was lost. Docstrings are not run as tests.
 */
export function completeProgram({ prompt, entryPoint }: ProgramPrompt, code: string): string {
  if (!defines(code, entryPoint)) {
    // A body in tabs cannot go on from a docstring in spaces.
    const spaced = /^\t/m.test(prompt) ? code : code.replace(/^\t+/gm, (tabs) => "    ".repeat(tabs.length));
    return `${prompt}${prompt.endsWith("\n") ? "" : "\n"}${indentBody(spaced)}\n`;
  }
  const preamble = prompt.slice(0, startOfDefinition(prompt, entryPoint) ?? 0);
  const lines = code.split("\n").filter((line) => !ownTests.test(line));
  // Imports from the future have to stand first.
  const [future, rest] = partition(lines, (line) => line.startsWith("from __future__ import"));
  return `${[...future, preamble, ...rest].join("\n")}\n`;
}

const ownTests = /^(?:import doctest|from doctest import [\w, ]{1,80}|(?:doctest\.)?testmod\([^()]{0,80}\))\s{0,8}(?:#.*)?$/;

/**
 * Markdown's fences of backticks or tildes; one that is never closed goes to the end, and one may stand at the end of the last line of code.
 * `before` is the code before a fence that only the prompt had opened.
 */
function fencedBlocks(text: string, entryPoint: string): { blocks: Block[]; before?: string } {
  const lines = text.split("\n").flatMap(splitFence);
  const fences = lines.filter((line) => fenceOf(line) !== undefined).length;
  const first = lines.findIndex((line) => fenceOf(line) !== undefined);
  if (fences % 2 === 1 && /^[`~]+$/.test(lines[first].trim())) {
    const before = lines.slice(0, first).join("\n");
    const start = lines.slice(0, first).find((line) => line.trim() !== "");
    if (start !== undefined && (defines(before, entryPoint) || /^\s/.test(start) || isStatement(start)))
      return { blocks: blocksIn(lines.slice(first + 1)), before };
  }
  return { blocks: blocksIn(lines) };
}

function blocksIn(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: number; language: string; lines: string[] } | undefined;
  for (const line of lines) {
    const bareLine = line.trimStart();
    const fence = fenceOf(line);
    if (open === undefined) {
      if (fence === undefined) continue;
      const info = bareLine.slice(fence.length).trim();
      const isCode = topLevel.test(info);
      const language = isCode ? "" : info.split(/\s/, 1)[0];
      open = { fence, indent: line.length - bareLine.length, language, lines: isCode ? [info] : [] };
    } else if (fence?.startsWith(open.fence) && bareLine.slice(fence.length).trim() === "") {
      blocks.push({ language: open.language, code: open.lines.join("\n") });
      open = undefined;
    } else {
      // A block inside a list is indented as a whole.
      const lead = line.length - bareLine.length;
      open.lines.push(line.slice(Math.min(open.indent, lead)));
    }
  }
  if (open !== undefined) blocks.push({ language: open.language, code: open.lines.join("\n") });
  return blocks;
}

function fenceOf(line: string): string | undefined {
  return /^(?:`{3,}|~{3,})/.exec(line.trimStart())?.[0];
}

/** "    return x```" is a line of code and a fence. */
function splitFence(line: string): string[] {
  if (!line.trimEnd().endsWith("```") || fenceOf(line) !== undefined) return [line];
  const code = line.trimEnd().slice(0, -3);
  return code.includes("`") || !(/^\s/.test(code) || isStatement(code)) ? [line] : [code, "```"];
}

/** What the chosen block uses and other blocks define stands before it. */
function withHelpers(chosen: Block, blocks: readonly Block[], entryPoint: string): string {
  const own = new Set(namesIn(chosen.code));
  const words = wordsOf(chosen.code);
  const helpers: string[] = [];
  for (const block of blocks.toReversed()) {
    if (block === chosen || defines(block.code, entryPoint)) continue;
    const names = namesIn(block.code).filter((name) => !own.has(name));
    if (!names.some((name) => words.has(name))) continue;
    const code = definitionsIn(block.code);
    helpers.unshift(code);
    for (const word of wordsOf(code)) words.add(word);
    for (const name of names) own.add(name);
  }
  return [...helpers, chosen.code].join("\n");
}

const wordsOf = (code: string): Set<string> => new Set(code.match(/[A-Za-z_]\w*/g));

const assigned = /^([A-Za-z_]\w*)\s{0,8}(?::[^=\n]{1,200})?=(?!=)/;

/** Names that code gives at its top level. */
function namesIn(code: string): string[] {
  const names: string[] = [];
  for (const line of code.split("\n")) {
    const name = /^(?:(?:async\s{1,8})?def|class)\s{1,8}(\w+)/.exec(line)?.[1] ?? assigned.exec(line)?.[1];
    if (name !== undefined) names.push(name);
  }
  return names;
}

/** The definitions and imports of code, without what it runs. */
function definitionsIn(code: string): string {
  const lines = code.split("\n");
  const inside = insideLines(lines);
  let isKept = false;
  const kept = lines.filter((line, index) => {
    if (/^\S/.test(line) && !inside[index]) isKept = topLevel.test(line) || /^[#@)\]}]/.test(line);
    return isKept || line.trim() === "";
  });
  return kept.join("\n");
}

function defines(code: string, name: string): boolean {
  return startOfDefinition(code, name) !== undefined;
}

/** Where the line begins that defines a function of this name, or gives a function this name, outside of any other. */
function startOfDefinition(code: string, name: string): number | undefined {
  let start = 0;
  for (const line of code.split("\n")) {
    if (line.includes(name)) {
      const found = /^(?:async\s{1,8})?def\s{1,8}([^\s([]+)\s{0,8}[([]/.exec(line) ?? assigned.exec(line);
      if (found?.[1] === name) return start;
    }
    start += line.length + 1;
  }
  return undefined;
}

/** Whether each line begins within a string of three quotes, within brackets, or goes on from the line before. */
function insideLines(lines: readonly string[]): boolean[] {
  const inside: boolean[] = [];
  let quote = "";
  let depth = 0;
  let goesOn = false;
  for (const line of lines) {
    inside.push(quote !== "" || depth > 0 || goesOn);
    goesOn = false;
    for (let at = 0; at < line.length; at++) {
      const sign = line[at];
      if (quote !== "") {
        if (sign === "\\") at++;
        else if (line.startsWith(quote, at)) {
          at += quote.length - 1;
          quote = "";
        }
      } else if (sign === "#") break;
      else if (sign === '"' || sign === "'") {
        quote = line.startsWith(sign.repeat(3), at) ? sign.repeat(3) : sign;
        at += quote.length - 1;
      } else if ("([{".includes(sign)) depth++;
      else if (")]}".includes(sign)) depth = Math.max(0, depth - 1);
      else if (sign === "\\" && at === line.length - 1) goesOn = true;
    }
    if (quote.length === 1) quote = "";
  }
  return inside;
}

/** Begins a statement that gives names at the top level of a module. */
const topLevel =
  /^(?:import [\w.]{1,80}(?: as \w{1,40})?(?:\s?,\s?[\w.]{1,80}(?: as \w{1,40})?){0,20}\s{0,8}(?:#|;|$)|from [\w.]{1,80} import [\w*(]|(?:async )?def\s{1,8}\w{1,80}\s{0,8}[([]|class\s{1,8}\w{1,80}\s{0,8}[:([]|@\w[\w.]{0,80}\s{0,8}(?:\(|$)|[A-Za-z_][\w.]{0,80}(?:\[[^\]\n]{0,200}\])?(?:\s?,\s?\*?[A-Za-z_][\w.]{0,80}){0,9}\s{0,8}(?::\s{0,8}[\w[\], .|"']{1,200})?(?:[-+*/%&|^]|\/\/|\*\*)?=(?!=))/;
/** Other lines of a module that are code. */
const otherCode =
  /^(?:\s|#|(?:if|for|while|with|elif|except|async)\b.*:|(?:try|else|finally)\s{0,8}:|[)\]}]|"""|'''|(?:assert|raise|del|pass|print)\b|[A-Za-z_][\w.]{0,80}\(.*[)([{,]\s{0,8}(?:#.{0,200})?$)/;
const inFunction =
  /^(?:return(?:$|\s{1,4}(?!(?:the|a|an|another|to|it|us|you|your|this)\s+[a-z]+\s+[a-z])[\w([{"'~+-])|return[([{"']|yield\b|break$|continue$|global \w|nonlocal \w)/;

/** Might begin a statement of Python, in a function's body or outside. */
function isStatement(line: string): boolean {
  const code = line.trim();
  return inFunction.test(code) || topLevel.test(code) || otherCode.test(code);
}

/** From the first line that begins code to the last that can be code. */
function definitionsInProse(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => topLevel.test(line));
  const rest = lines.slice(Math.max(0, first));
  const inside = insideLines(rest);
  const end = rest.findIndex(
    (line, index) => line.trim() !== "" && !inside[index] && !topLevel.test(line) && !otherCode.test(line),
  );
  return (end < 0 ? rest : rest.slice(0, end)).join("\n");
}

const prose = /^[A-Z#*>`-]|^\S.{0,200}\b[a-z]{1,20} [a-z]{1,20} [a-z]{1,20}\b/;

/** A function's body, after words about it where there are some, and the functions behind it that it uses. */
function continuation(text: string): string {
  const all = text.split("\n");
  let first = all.findIndex((line) => line.trim() !== "");
  if (prose.test(all[first]) && !isStatement(all[first])) {
    const start = all.findIndex((line, index) => index > first && line.trim() !== "" && (/^\s/.test(line) || isStatement(line)));
    if (start > 0) first = start;
  }
  const body = all.slice(first);
  const inside = insideLines(body);
  // Where the first line lost its indentation, the others tell where the body ends; where all lost it, nothing does.
  const isIndented = body.some((line) => /^\s+\S/.test(line));
  const end = body.findIndex((line, index) => index > 0 && /^[^\s#]/.test(line) && !inside[index]);
  const isDedented = /^\S/.test(body[0]) && (!isIndented || opensBlock(body[0]) || (end > 0 && !/^\s/.test(body[1] ?? "")));
  if (end < 0 || isDedented) return body.join("\n");
  const own = body.slice(0, end).join("\n");
  if (!topLevel.test(body[end])) return own;
  const words = wordsOf(own);
  const behind = definitionsIn(definitionsInProse(body.slice(end).join("\n")));
  return namesIn(behind).some((name) => words.has(name)) ? `${own}\n${behind}` : own;
}

const opensBlock = (line: string) => line.trimEnd().endsWith(":");

/** Puts a function's body at four spaces when its first line, or all of it, was trimmed. */
function indentBody(code: string): string {
  const lines = code.split("\n").map((line) => line.replaceAll("\t", "    "));
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0 || /^\s/.test(lines[first])) return code;
  const depths = lines
    .slice(first + 1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const next = depths[0] ?? 0;
  // A line that opens a block has the next one four deeper: at eight when only the first line was trimmed.
  const onlyFirst = depths.length > 0 && Math.min(...depths) >= 4 && next !== (opensBlock(lines[first]) ? 4 : -1);
  return lines.map((line, index) => (line.trim() !== "" && (!onlyFirst || index === first) ? `    ${line}` : line)).join("\n");
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}
