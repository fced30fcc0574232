/** Methods from outside of the catalogue: those that a program hands over as cards, and those that a text names by file or package. */
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { isBoundMethod, specFault } from "#kernel/options.ts";
import type { BoundMethod, MethodNeed } from "#kernel/trace.ts";
import { exportedOne } from "#kernel/values.ts";
import { buildMethods } from "./driver/bind.ts";
import { type CallExpression, type NamedExpression, readExpressions } from "./driver/expression.ts";

/** Loads a module by its path or name; undefined where no module is meant. */
export type LoadModule = (name: string) => Promise<Readonly<Record<string, unknown>> | undefined>;

/** `parseMethods` for a text that may name modules, such as `./mine.ts(rounds=2),best-of-n(./mine.ts,n=4)`. */
export async function loadMethods(text: string, cards: readonly MethodCard[], load: LoadModule): Promise<BoundMethod[]> {
  const read = await readMethods(text, cards, load);
  return buildMethods(read.expressions, read.cards);
}

/** The text read, every method in it named by the id of its card, and all cards, those of modules last. */
export async function readMethods(
  text: string,
  cards: readonly MethodCard[],
  load: LoadModule,
): Promise<{ expressions: NamedExpression[]; cards: MethodCard[] }> {
  const expressions = readExpressions(text);
  const known = [...cards];
  const loaded = new Map<string, MethodCard>();
  for (const { call } of expressions) await resolve(call);
  return { expressions, cards: known };

  /** Has the call, and those inside it, name their methods by id. */
  async function resolve(call: CallExpression): Promise<void> {
    const card = cards.find(({ id }) => id === call.name) ?? loaded.get(call.name) ?? (await loadCard(call.name));
    if (!card) return;
    call.name = card.id;
    for (const argument of call.arguments) {
      const isMethod = argument.option === undefined || card.options[argument.option]?.type === "method";
      if (!isMethod) continue;
      if (argument.value.kind === "text") {
        argument.value = { kind: "call", call: { name: argument.value.text, arguments: [], at: argument.at } };
      }
      await resolve(argument.value.call);
    }
  }

  async function loadCard(name: string): Promise<MethodCard | undefined> {
    const exported = await load(name);
    if (!exported) return undefined;
    const card = checkedCard(cardIn(exported, name), known, name);
    known.push(card);
    loaded.set(name, card);
    return card;
  }
}

/** The catalogue with a program's own cards behind it. Throws a user error where one has the id of another. */
export function withCards(cards: readonly MethodCard[], more: readonly MethodCard[]): MethodCard[] {
  const known = [...cards];
  for (const card of more) known.push(checkedCard(card, known, "the card given"));
  return known;
}

/** The method that a module exports: its default, one named `method` or `card`, or the only one there is. Throws a user error otherwise. */
export function cardIn(exported: Readonly<Record<string, unknown>>, from: string): MethodCard {
  const found = exportedOne(exported, ["method", "card"], cardOf);
  if (found !== undefined) return found;
  throw userError(
    "not-a-method",
    `${from} exports no method, or several and none as its default`,
    "Its default export, one named method or card, or its only one has to be what defineMethod returns, a card, or a method with its maxCalls.",
  );
}

function cardOf(value: unknown): MethodCard | undefined {
  if (typeof value === "function" && "card" in value) return cardOf(value.card);
  if (isCard(value)) return value;
  if (!isBoundMethod(value) || typeof value.method?.run !== "function" || typeof value.maxCalls !== "number") return undefined;
  const { method, maxCalls, needs = [] } = value;
  const usesOracle = method.usesOracle === true;
  return {
    id: method.id,
    summary: "A method from outside of the catalogue, with its options bound.",
    kind: "plain",
    status: "experimental",
    needs,
    usesOracle,
    options: {},
    calls: String(maxCalls),
    maxCalls: () => maxCalls,
    create: (_options, id) => ({ ...method, id, run: (request) => method.run(request) }),
  };
}

function isCard(value: unknown): value is MethodCard {
  if (typeof value !== "object" || value === null) return false;
  const { id, summary, needs, options, calls, maxCalls, create } = value as Partial<MethodCard>;
  const hasTexts = typeof id === "string" && typeof summary === "string" && typeof calls === "string";
  const hasFunctions = typeof maxCalls === "function" && typeof create === "function";
  return hasTexts && hasFunctions && Array.isArray(needs) && typeof options === "object" && options !== null;
}

/**
 * The card, with functions that name the module where they fail. Throws user errors alone, for what is wrong with it and for an id that is
 * taken.
 */
function checkedCard(card: MethodCard, known: readonly MethodCard[], from: string): MethodCard {
  checkId(card, known, from);
  checkNeeds(card.needs, card.id, from);
  for (const [name, spec] of Object.entries(card.options)) {
    const fault = specFault(spec);
    if (fault !== undefined)
      throw userError("method-card", `${from}: ${card.id}, option ${name}: ${fault}`, "Mend the options of its card.");
  }
  const { needsWith } = card;
  return {
    ...card,
    needsWith:
      needsWith &&
      ((options) =>
        checkNeeds(
          guarded("needs", () => needsWith.call(card, options)),
          card.id,
          from,
        )),
    maxCalls: (options) => guarded("maxCalls", () => card.maxCalls(options)),
    create: (options, id) => {
      const method = guarded("create", () => card.create(options, id));
      if (typeof method?.run === "function" && typeof method.id === "string") return method;
      throw userError("method-card", `${from}: create of ${card.id} returns no method`, "It returns { id, run }.");
    },
  };

  function guarded<Value>(name: string, ask: () => Value): Value {
    try {
      return ask();
    } catch (error) {
      if (MidcourseError.isInstance(error)) throw error;
      throw userError("method-card", `${from}: ${name} of ${card.id} failed: ${messageOf(error)}`, "Mend it there.", error);
    }
  }
}

const allNeeds: Readonly<Record<MethodNeed, true>> = {
  "read-answer": true,
  "visible-tests": true,
  python: true,
  scorer: true,
  oracle: true,
};

function checkNeeds(needs: readonly MethodNeed[], id: string, from: string): readonly MethodNeed[] {
  const known = Object.keys(allNeeds);
  if (!Array.isArray(needs))
    throw userError("method-card", `${from}: the needs of ${id} are no list`, `There are: ${known.join(", ")}.`);
  const unknown = needs.find((need) => !known.includes(need));
  if (unknown === undefined) return needs;
  throw userError(
    "method-card",
    `${from}: ${id} needs “${String(unknown)}”, which there is not`,
    `There are: ${known.join(", ")}.`,
  );
}

function checkId({ id }: MethodCard, known: readonly MethodCard[], from: string): void {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) {
    throw userError(
      "method-id",
      `${from}: “${id}” is no name for a method`,
      "Names are small letters, digits and single hyphens.",
    );
  }
  if (known.some((card) => card.id === id)) {
    throw userError("method-id-taken", `${from}: there is a method ${id} already`, "Give it another id.");
  }
}
