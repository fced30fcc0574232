/** Columns that belong below an instruction. */

/** Alpaca's second column, `input`, and Dolly's, `context`, belong below the instruction. */
export function instructionWith(instruction: string, values: Readonly<Record<string, unknown>>): string {
  const below = ["input", "context"].flatMap((wanted) => {
    const name = Object.keys(values).find((each) => each.toLowerCase() === wanted);
    const value = name === undefined ? undefined : values[name];
    return typeof value === "string" && value.trim() !== "" ? [value.trim()] : [];
  });
  return instruction.trim() === "" ? below.join("\n\n") : [instruction, ...below].join("\n\n");
}
