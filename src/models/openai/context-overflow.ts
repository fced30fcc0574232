/**
 * A conversation that is longer than the model's context, as servers say it. One row a wording, with who says it; each was read in the
 * server's own source or in a public report, between August and November 2026.
 */

const wordings: readonly { said: RegExp; by: string }[] = [
  // OpenAI, Azure, vLLM, DeepSeek, Mistral, LiteLLM: "This model's maximum context length is 8192 tokens. However, …"; vLLM ≥ 0.10 also
  // "max_tokens … is too large: 2000. This model's maximum context length is 4096 tokens".
  { said: /maximum context|max(?:imum)? model length|max_model_len/i, by: "OpenAI, vLLM" },
  // llama.cpp: "the request exceeds the available context size"; OpenAI's Responses: "exceeds the context window of this model";
  // LM Studio: "greater than the context length"; MiniMax: "context window exceeds limit"; Groq: "reduce the length of the messages".
  {
    said: /context[ _-]?(?:length|size|window|limit)|(?:exceed\w*|outside) the model'?s? context/i,
    by: "llama.cpp, OpenAI, LM Studio",
  },
  { said: /reduce the length of (?:the|your) (?:messages|prompt|input)/i, by: "Groq, OpenAI" },
  // Anthropic: "prompt is too long: 219898 tokens > 200000 maximum", "input length and `max_tokens` exceed context limit"; Bedrock: "Input is
  // too long for requested model."; Mistral: "Prompt contains 40000 tokens … too large for model with 32768 maximum context length".
  { said: /\b(?:prompt|input|conversation|messages?)(?: length)? (?:is|are) too (?:long|large)\b/i, by: "Anthropic, Bedrock" },
  { said: /\btoo large for model\b/i, by: "Mistral" },
  // SGLang: "The input (5000 tokens) is longer than the model's context length (4096 tokens)"; "Requested token count exceeds the …".
  { said: /longer than the model|requested token count exceeds|input length \(?\d+.{0,40}(?:exceeds|longer)/i, by: "SGLang" },
  // Gemini: "The input token count (1048600) exceeds the maximum number of tokens allowed (1048575)." (gemini-cli#11916)
  { said: /token count\b.{0,40}\bexceeds?\b.{0,20}\bmax/i, by: "Gemini, Groq" },
  // xAI: "This model's maximum prompt length is 131072 but the request contains 136973 tokens." (cline#3120)
  { said: /maximum prompt length/i, by: "xAI" },
  // TGI: "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and …", "`inputs` must have less than 1024 tokens".
  { said: /`?inputs`? (?:tokens \+ `?max_new_tokens`? must be|must have (?:less|fewer) than)/i, by: "TGI" },
  // Cohere: "too many tokens: total number of tokens (prompt and prediction) cannot exceed 4096 - received 6354"; "… size limit exceeded".
  {
    said: /too many tokens: |total number of tokens\b.{0,60}\b(?:cannot|must not) exceed|too many (?:input|prompt) tokens/i,
    by: "Cohere",
  },
  // TensorRT-LLM: "Prompt length (5056) exceeds maximum sequence length (2048)", "… exceeds maximum input length", "The sum of prompt length
  // (5000.0), query length (1.0) and max_tokens (100) should not exceed max_seq_len (2048)"; trtllm-serve: "default_max_tokens (-8) must be
  // greater than 0, … max_seq_len".
  {
    said: /prompt length\b.{0,40}\b(?:exceeds?|should not exceed|larger)|max(?:imum)?[_ ]?(?:seq(?:uence)?|input)[_ ]?len/i,
    by: "TensorRT-LLM",
  },
  // DashScope: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]" (qwen-code#98).
  { said: /range of input length should be/i, by: "DashScope" },
  // Moonshot: "Your request exceeded model token limit: 131072"; Zhipu: "Prompt exceeds max length" (1261), "tokens in prompt exceed".
  {
    said: /exceed(?:s|ed)? (?:the )?(?:model(?:'s)? )?(?:token limit|max(?:imum)?(?: input| prompt)? length)/i,
    by: "Moonshot, Zhipu",
  },
  // GitHub Copilot and OpenRouter's providers: "prompt token count of 140000 exceeds the limit of 128000".
  { said: /prompt token count of \d+ exceeds/i, by: "Copilot" },
  // Ollama: "input length exceeds maximum context length"; Bedrock's Llama: "This model's maximum context length"; Nova: "Too many input tokens".
  { said: /(?:input|prompt) (?:length )?exceeds\b/i, by: "Ollama" },
  // Doubao (Volcengine): "Total tokens of image and text exceed max message tokens"; Baichuan, Hunyuan and Yi say it likewise.
  { said: /tokens? of (?:image|text|input)\b.{0,30}\bexceed|exceed max message tokens/i, by: "Volcengine" },
];

const codes = new Set([
  "context_length_exceeded",
  "exceed_context_size_error",
  "context_window_exceeded",
  "contextwindowexceedederror",
  "model_context_window_exceeded",
  "prompt_too_long",
  "string_above_max_length",
]);

/** Tokens a minute are a matter of waiting, whatever words they come in. */
const ofRate =
  /tokens? per (?:minute|min\b|day|second|hour)|\b(?:TPM|RPM|TPD)\b|rate.?limit|please wait|try again (?:in|later)|throttl/i;

export function isContextExceeded(said: string, givenCodes: readonly string[]): boolean {
  if (givenCodes.some((code) => codes.has(code.toLowerCase()))) return true;
  return !ofRate.test(said) && wordings.some((wording) => wording.said.test(said));
}
