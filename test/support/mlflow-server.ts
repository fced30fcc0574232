/** A tracking server of the smallest kind: the calls of MLflow's REST interface that a run needs, kept in memory, on loopback. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

interface Metric {
  key: string;
  value: number | string;
  timestamp: number;
  step: number;
}

/** Every field that a request may have. */
interface Body {
  name: string;
  experiment_id: string;
  run_id?: string;
  run_name?: string | undefined;
  metrics?: Metric[];
  params?: { key: string; value: string }[];
  status: string;
}

export interface MlflowServer {
  uri: string;
  experiments: Map<string, string>;
  runs: Map<
    string,
    {
      name?: string | undefined;
      experiment: string;
      status: string;
      metrics: Metric[];
      params: Map<string, string>;
      deleted?: boolean;
    }
  >;
  /** Every request so far: method and path. */
  requests: string[];
  headers: IncomingHttpHeaders[];
  /** Answers that come before the real one, one a request: a status, or `hang`, or `drop` for a connection that is cut. */
  faults: (number | "hang" | "drop" | { status: number; retryAfter: string })[];
  /** Answers to one call whatever happens. */
  refuse: Map<string, number>;
  close(): Promise<void>;
}

export async function startMlflowServer(): Promise<MlflowServer> {
  const state: Omit<MlflowServer, "uri" | "close"> = {
    experiments: new Map(),
    runs: new Map(),
    requests: [],
    headers: [],
    faults: [],
    refuse: new Map(),
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "", "http://local");
    const call = url.pathname.replace(/^.*\/api\/2\.0\/mlflow\//, "");
    state.requests.push(`${request.method} ${call}`);
    state.headers.push(request.headers);
    const reply = (status: number, body: object, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    const fault = state.faults.shift();
    if (fault === "hang") return;
    if (fault === "drop") return void request.socket.destroy();
    if (typeof fault === "number") return void reply(fault, { error_code: "INTERNAL_ERROR", message: "out of order" });
    if (fault) return void reply(fault.status, { message: "wait" }, { "retry-after": fault.retryAfter });
    const refused = state.refuse.get(call);
    if (refused !== undefined) return void reply(refused, { error_code: "INVALID", message: "not like this" });
    const body = request.method === "POST" ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : {};
    const [status, answer] = answerTo(state, call, body, url.searchParams);
    reply(status, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function answerTo(
  state: Pick<MlflowServer, "experiments" | "runs">,
  call: string,
  body: Body,
  query: URLSearchParams,
): [number, object] {
  const missing: [number, object] = [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such thing" }];
  switch (call) {
    case "experiments/get-by-name": {
      const id = state.experiments.get(query.get("experiment_name") ?? "");
      return id === undefined ? missing : [200, { experiment: { experiment_id: id } }];
    }
    case "experiments/create": {
      if (state.experiments.has(body.name)) return [400, { error_code: "RESOURCE_ALREADY_EXISTS", message: "there already" }];
      state.experiments.set(body.name, String(state.experiments.size + 1));
      return [200, { experiment_id: state.experiments.get(body.name) }];
    }
    case "runs/create": {
      const id = `run${state.runs.size + 1}`;
      state.runs.set(id, {
        name: body.run_name,
        experiment: body.experiment_id,
        status: "RUNNING",
        metrics: [],
        params: new Map(),
      });
      return [200, { run: { info: { run_id: id } } }];
    }
  }
  const run = state.runs.get(body.run_id ?? query.get("run_id") ?? "");
  if (run === undefined) return missing;
  switch (call) {
    case "runs/get": {
      // Like the real one: only the last value of every metric.
      const latest = new Map(run.metrics.toSorted((a, b) => a.step - b.step).map((metric) => [metric.key, metric]));
      const info = { lifecycle_stage: run.deleted ? "deleted" : "active", status: run.status };
      return [200, { run: { info, data: { metrics: [...latest.values()] } } }];
    }
    case "runs/log-batch": {
      if ((body.metrics?.length ?? 0) > 1000 || (body.params?.length ?? 0) > 100) return [400, { message: "too many" }];
      run.metrics.push(...(body.metrics ?? []));
      for (const { key, value } of body.params ?? []) run.params.set(key, value);
      return [200, {}];
    }
    case "runs/update":
      run.status = body.status;
      return [200, {}];
  }
  return missing;
}
