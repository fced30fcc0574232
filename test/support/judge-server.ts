/** A judge of known quality on loopback: a real server that reads what it is shown and grades by a rule, rightly, sometimes wrongly, or by length. */
import { deriveSeed } from "#kernel/seed.ts";
import { chatReply, type ModelServer, type PlayedReply, playServer } from "./model-server.ts";

/** What a judge is shown. */
export interface ShownAnswer {
  question: string;
  reference: string;
  answer: string;
}

export interface PlayedJudge {
  /** A score from 0 to 1, or what is said in its place: words that are no score, a refusal. */
  grade: (shown: ShownAnswer) => number | string | PlayedReply;
}

export interface JudgeServer extends ModelServer {
  /** Every answer that was shown, in the order they came. */
  shown: ShownAnswer[];
}

export async function playJudge({ grade }: PlayedJudge): Promise<JudgeServer> {
  const shown: ShownAnswer[] = [];
  const server = await playServer(({ path, body }) => {
    if (path === "/v1/models") return { body: { object: "list", data: [{ id: "judge", object: "model" }] } };
    if (path !== "/v1/chat/completions") return { status: 404 };
    const messages = (body?.messages ?? []) as { role: string; content: string }[];
    const text = messages.at(-1)?.content ?? "";
    const seen = { question: part(text, "question"), reference: part(text, "reference"), answer: part(text, "answer") };
    // A test request, by which a server is got to know.
    if (seen.question === "") return { body: chatReply(["Yes."]) };
    shown.push(seen);
    const said = grade(seen);
    if (typeof said === "object") return said;
    const reply = typeof said === "number" ? `It is as it is.\nSCORE: ${said.toFixed(2)}` : said;
    return { body: chatReply(Array.from({ length: Number(body?.n ?? 1) }, () => reply)) };
  });
  return { ...server, shown };
}

function part(text: string, title: string): string {
  return new RegExp(`^=== ${title} (\\w+) ===\\n([^]*)\\n=== end of ${title} \\1 ===$`, "m").exec(text)?.[2] ?? "";
}

/** Right or wrong by a rule, and turned around for a share of all answers, the same ones whenever they are shown. */
export function wrongNowAndThen(isRight: (shown: ShownAnswer) => boolean, share: number, seed = 1): PlayedJudge {
  return {
    grade(shown) {
      const isTurned = deriveSeed(seed, "verdict", shown.question, shown.answer) / 2 ** 32 < share;
      return isRight(shown) !== isTurned ? 1 : 0;
    },
  };
}

/** Half of the score for being right, half for length, all of it from `full` characters on. */
export function likesLength(isRight: (shown: ShownAnswer) => boolean, full: number): PlayedJudge {
  return { grade: (shown) => (isRight(shown) ? 0.5 : 0) + 0.5 * Math.min(1, shown.answer.length / full) };
}
