/** A chat endpoint on loopback that answers every request after a fixed delay: `node bench/evaluation-server.ts DELAY_MS`. Prints its port. */
import { createServer } from "node:http";

const delay = Number(process.argv[2] ?? 100);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: "fixed-delay", object: "model" }] }));
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { messages: { content: string }[]; n?: number };
    const length = body.messages.at(-1)?.content.length ?? 0;
    const choices = Array.from({ length: body.n ?? 1 }, (_, index) => ({
      index,
      message: {
        role: "assistant",
        content: `It follows from the ${length} characters of the question.\nThe answer is ${length % 97}.`,
      },
      finish_reason: "stop",
    }));
    const reply = JSON.stringify({
      id: "chatcmpl-0",
      object: "chat.completion",
      created: 0,
      model: "fixed-delay",
      choices,
      usage: { prompt_tokens: length, completion_tokens: 20 * choices.length, total_tokens: length + 20 * choices.length },
    });
    setTimeout(() => {
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(reply) });
      response.end(reply);
    }, delay);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", 1024, () => {
  const address = server.address();
  if (address && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
process.on("disconnect", () => process.exit(0));
