/** What a provider of the AI SDK says, in its warnings, that it did not heed. */
import type { LanguageModelV4CallOptions, SharedV4Warning } from "@ai-sdk/provider";
import type { NotHonoured } from "#kernel/model.ts";

/** The SDK's names of settings, by those of OpenAI's requests. */
const settings = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  max_tokens: "maxOutputTokens",
  seed: "seed",
  stop: "stopSequences",
} as const satisfies Readonly<Record<string, keyof LanguageModelV4CallOptions>>;

/** Of the settings that the call had; providers also warn of what was never asked. */
export function notHonouredIn(
  warnings: readonly SharedV4Warning[] | undefined,
  call: Partial<LanguageModelV4CallOptions>,
): NotHonoured[] {
  return Object.entries(settings).flatMap(([field, setting]): NotHonoured[] => {
    const warning = warnings?.find((each) => isAbout(each, setting, field));
    const value = call[setting];
    if (warning === undefined || value === undefined) return [];
    const said = warning.details ? `: ${warning.details}` : "";
    const asked = typeof value === "number" && field !== "seed" ? { asked: value } : {};
    return [{ field, ...asked, why: `the provider does not support it${said}` }];
  });
}

function isAbout(warning: SharedV4Warning, setting: string, field: string): warning is SharedV4Warning & { details?: string } {
  return warning.type === "unsupported" && (warning.feature === setting || warning.feature === field);
}
