/** Each kind of server is known by what it says of itself, and what its row leaves open is settled by test requests. */
import { describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import {
  chatEvents,
  chatReply,
  type Play,
  type PlayedReply,
  type PlayedRequest,
  playServer,
} from "../../../test/support/model-server.ts";
import { closedAfterEach } from "../../../test/support/played-server.ts";
import { identifyServer, probeServer } from "./server-probe.ts";
import { carefulQuirks, type ServerKind, serverQuirks } from "./server-quirks.ts";

const serveFor = closedAfterEach();

async function probe(play: Play, more: { probe?: boolean } = {}) {
  const { server, connections } = await serveFor(play);
  const profile = await probeServer({ model: "m", address: { baseUrl: server.baseUrl }, connections, ...more });
  return { profile, server };
}

const models = (ownedBy: string): PlayedReply => ({
  body: { object: "list", data: [{ id: "m", object: "model", owned_by: ownedBy }] },
});
const missing: PlayedReply = { status: 404, body: { detail: "Not Found" } };

/** Endpoints of each kind by path; chats are answered by `chat`. */
function server(
  endpoints: Record<string, PlayedReply>,
  chat: (request: PlayedRequest) => PlayedReply = () => ({ body: chatReply(["yes"]) }),
): Play {
  return (request) => (request.path === "/v1/chat/completions" ? chat(request) : (endpoints[request.path] ?? missing));
}

describe("servers are told apart", () => {
  test.each<[ServerKind, Record<string, PlayedReply>]>([
    ["vllm", { "/v1/models": models("vllm"), "/version": { body: { version: "0.26.0" } } }],
    ["vllm", { "/v1/models": models("somebody"), "/version": { body: { version: "0.26.0" } } }],
    ["sglang", { "/v1/models": models("sglang") }],
    [
      "sglang",
      {
        "/v1/models": models("me"),
        "/get_model_info": { body: { model_path: "qwen" } },
        "/api/version": { body: { version: "1" } },
      },
    ],
    ["llama.cpp", { "/v1/models": models("llamacpp") }],
    [
      "llama.cpp",
      { "/v1/models": models("me"), "/props": { body: { default_generation_settings: { n_ctx: 512 }, total_slots: 4 } } },
    ],
    ["ollama", { "/v1/models": models("library"), "/api/version": { body: { version: "0.12.0" } } }],
    ["transformers", { "/v1/models": models("Qwen"), "/health": { body: { status: "ok" }, headers: { "x-request-id": "1" } } }],
    ["other", { "/v1/models": models("me"), "/health": { body: { status: "ok" } } }],
    ["other", { "/health": { body: "ok" } }],
  ])("%s", async (kind, endpoints) => {
    const { connections, server: played } = await serveFor(server(endpoints));
    expect(await identifyServer(connections, { baseUrl: played.baseUrl })).toBe(kind);
    expect(played.chats()).toHaveLength(0);
  });

  test("without a probe nothing at all is asked, and what every server takes is assumed", async () => {
    const { profile, server: played } = await probe(server({ "/v1/models": models("vllm") }), { probe: false });
    expect(profile).toEqual({ kind: "other", quirks: carefulQuirks(serverQuirks.other), probed: [] });
    expect(played.requests).toHaveLength(0);
  });

  test.each<[string, PlayedReply]>([
    ["401", { status: 401, body: { error: { message: "no key" } } }],
    ["403", { status: 403, body: "Forbidden" }],
    ["404", missing],
    ["405", { status: 405, body: { detail: "Method Not Allowed" } }],
    ["500", { status: 500, body: "Internal Server Error" }],
    ["a web page", { body: "<html><title>Welcome</title></html>" }],
    ["a redirection", { status: 302, headers: { location: "/login" } }],
  ])("a server that answers the list of models with %s and chats as it should is probed like any other", async (_, list) => {
    const { profile } = await probe((request, number) => (request.path === "/v1/models" ? list : able()(request, number)));
    expect(profile).toMatchObject({ kind: "other", quirks: { samples: "many", temperature: "sent", streamUsage: "asked" } });
  });

  test("a server whose row is complete is asked nothing", async () => {
    const { profile, server: played } = await probe(server({ "/v1/models": models("vllm") }));
    expect(profile.quirks).toEqual(serverQuirks.vllm);
    expect(played.chats()).toHaveLength(0);
  });

  test("nobody there, and a locked door, end the probe with what to do", async () => {
    const connections = new HttpConnections();
    const gone = await playServer(() => missing);
    await gone.close();
    await expect(probeServer({ model: "m", address: { baseUrl: gone.baseUrl }, connections })).rejects.toMatchObject({
      code: "server-unreachable",
    });
    await expect(probe(() => ({ status: 401, body: { error: { message: "no key" } } }))).rejects.toMatchObject({
      code: "not-authorised",
    });
    connections.close();
  });
});

/** A server of no known kind, with everything. */
function able(change: (request: Record<string, unknown>) => PlayedReply | undefined = () => undefined): Play {
  return server({ "/v1/models": models("me") }, ({ body = {} }) => {
    const changed = change(body);
    if (changed) return changed;
    if (body.stream) return { events: chatEvents(["yes"]) };
    const last = (body.messages as { role: string }[]).at(-1)!;
    const texts = Array.from({ length: Number(body.n ?? 1) }, (_, sample) =>
      last.role === "assistant" ? " E F G" : `answer ${sample}`,
    );
    const reply = chatReply(texts);
    if (body.logprobs)
      (reply.choices as { logprobs: unknown }[])[0].logprobs = { content: [{ token: "yes", logprob: -0.1, top_logprobs: [] }] };
    return { body: reply };
  });
}

const refused: PlayedReply = { status: 400, body: { error: { message: "not supported", type: "invalid_request_error" } } };

describe("what the table does not know is asked", () => {
  test("a server that can do everything", async () => {
    const { profile, server: played } = await probe(able());
    expect(profile.quirks).toEqual({
      maxTokens: "max_tokens",
      samples: "many",
      temperature: "sent",
      logprobs: "given",
      prefill: "last-message",
      streamUsage: "asked",
    });
    expect(played.chats()).toHaveLength(6);
  });

  test("a server that refuses everything it can", async () => {
    const { profile } = await probe(
      able((body) =>
        "max_tokens" in body || "temperature" in body || "n" in body || "logprobs" in body || "stream_options" in body
          ? refused
          : undefined,
      ),
    );
    expect(profile.quirks).toEqual({
      maxTokens: "max_completion_tokens",
      samples: "one",
      temperature: "left-out",
      logprobs: "absent",
      prefill: "last-message",
      streamUsage: "unasked",
    });
  });

  test("each refusal by itself", async () => {
    const only = (field: string) => able((body) => (field in body ? refused : undefined));
    expect((await probe(only("max_tokens"))).profile.quirks.maxTokens).toBe("max_completion_tokens");
    expect((await probe(only("temperature"))).profile.quirks).toMatchObject({ temperature: "left-out", maxTokens: "max_tokens" });
    expect((await probe(only("n"))).profile.quirks).toMatchObject({ samples: "one", logprobs: "given" });
    expect((await probe(only("stream_options"))).profile.quirks).toMatchObject({ streamUsage: "unasked", samples: "many" });
  });

  test("what is taken and not heeded: one sample for two, equal samples, no log-probabilities, an answer begun anew", async () => {
    const ignoring = await probe(able(({ messages: _ }) => ({ body: chatReply(["A B C D E"]) })));
    expect(ignoring.profile.quirks).toMatchObject({ samples: "one", logprobs: "absent", prefill: "refused" });
    const equal = await probe(able((body) => (body.n === 2 ? { body: chatReply(["same", "same"]) } : undefined)));
    expect(equal.profile.quirks.samples).toBe("one");
    const empty = await probe(
      able((body) => ((body.messages as { role: string }[]).at(-1)!.role === "assistant" ? { body: {} } : undefined)),
    );
    expect(empty.profile.quirks.prefill).toBe("refused");
  });
});
