/**
 * The judge of a program: the hidden tests as a program of their own, for a process in which nothing of the candidate runs. The functions
 * they name are stand-ins that are called across (sandbox/conversation.ts); helpers and types that the prompt defines are the prompt's own,
 * whatever the candidate made of them. Names that neither the tests nor the prompt define are the candidate's; the verdict says so.
 */
import type { Item } from "#kernel/item.ts";

/** Python for `Sandbox.run` with the candidate beside it. */
export function judgeOf({ prompt, tests, entryPoint }: NonNullable<Item["program"]>): string {
  // A prompt ends where the function's body is to begin: with its docstring, or just before it.
  const prompts = [`${prompt}\n    pass\n`, `${prompt}\n`, `${prompt}\n\tpass\n`];
  const given = JSON.stringify(JSON.stringify({ prompts, tests, entryPoint }));
  return `${preparation}_midcourse_prepare(globals(), midcourse_candidate, ${given})\n${tests}\n\ncheck(${entryPoint})\n`;
}

const preparation = `
def _midcourse_prepare(space, candidate, given):
    import ast, builtins, json, types
    given = json.loads(given)
    entry_point = given["entryPoint"]
    candidate.ask("load")
    for prompt in given["prompts"]:
        try:
            exec(compile(prompt, "<prompt>", "exec"), space)
            break
        except SyntaxError:
            continue
        except Exception:
            break
    space[entry_point] = candidate.ask("name", entry_point)
    try:
        names = [node.id for node in ast.walk(ast.parse(given["tests"])) if isinstance(node, ast.Name)]
        stored = {node.id for node in ast.walk(ast.parse(given["tests"])) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        for node in ast.walk(ast.parse(given["tests"])):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                stored.add(node.name)
            elif isinstance(node, ast.alias):
                stored.add((node.asname or node.name).split(".")[0])
            elif isinstance(node, ast.arg):
                stored.add(node.arg)
    except SyntaxError:
        return
    for name in sorted(set(names) - stored):
        if name in space or hasattr(builtins, name):
            continue
        try:
            space[name] = candidate.ask("name", name)
        except Exception:
            # Then the tests say themselves that it is missing.
            continue
        if not isinstance(space[name], types.ModuleType):
            candidate.note("the tests use the program's own " + name)
`;
