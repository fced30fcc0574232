/** The calls of MLflow's REST interface (version 2.0) that a training run needs, each one request with a time limit. */

import { HttpConnections } from "#http/connections.ts";
import { retryAfter } from "#http/tries.ts";
import { remoteError, userError } from "#kernel/errors.ts";
import { keepPair, keepSecret, keepSecretsOfAddress, struck, struckValue } from "#kernel/secrets.ts";
import { jsonIn, withoutEndingSlashes } from "#kernel/values.ts";

export interface MlflowAddress {
  /** Of the tracking server: http://127.0.0.1:5000. */
  uri: string;
  /** The value of the Authorization header. */
  authorization?: string | undefined;
  /** Largest wait for one answer. */
  timeoutSeconds?: number | undefined;
}

export interface MlflowMetric {
  key: string;
  value: number;
  /** Milliseconds since 1970. */
  timestamp: number;
  step: number;
}

/** How a run ended, or that it goes on. */
export type MlflowStatus = "RUNNING" | "FINISHED" | "FAILED" | "KILLED";

/** What one request may hold. */
export const mostMetricsPerRequest = 1000;
const mostParametersPerRequest = 100;
const longestName = 250;
const longestParameter = 6000;

export class MlflowClient {
  /** Address without credentials, for messages. */
  readonly origin: string;
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutSeconds: number;
  readonly #connections = new HttpConnections();

  /** @throws userError where the address is no http address */
  constructor({ uri, authorization, timeoutSeconds = 20 }: MlflowAddress) {
    keepSecretsOfAddress(uri, "MLflow's address");
    const url = readAddress(uri);
    const own = url.username === "" ? undefined : basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
    this.origin = url.origin;
    this.#base = `${url.origin}${withoutEndingSlashes(url.pathname)}/api/2.0/mlflow`;
    const header = own ?? authorization;
    this.#headers = { "content-type": "application/json", ...(header && { authorization: header }) };
    this.#timeoutSeconds = timeoutSeconds;
  }

  /** The experiment's id; it is made where there is none of that name. */
  async experimentId(name: string, signal: AbortSignal): Promise<string> {
    const find = async () => {
      const found = await this.#call(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, undefined, signal);
      return textAt(found, "experiment", "experiment_id");
    };
    try {
      return await find();
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
    try {
      return textAt(await this.#call("experiments/create", { name }, signal), "experiment_id");
    } catch (error) {
      // Another process was quicker.
      if (statusOf(error) === 400) return find();
      throw error;
    }
  }

  async createRun(experimentId: string, runName: string | undefined, signal: AbortSignal): Promise<string> {
    const named = runName === undefined ? {} : { run_name: runName, tags: [{ key: "mlflow.runName", value: runName }] };
    const made = await this.#call("runs/create", { experiment_id: experimentId, start_time: Date.now(), ...named }, signal);
    return textAt(made, "run", "info", "run_id");
  }

  /** The largest step that any metric of the run has, −1 for none; undefined where there is no such run (any more). */
  async lastStep(runId: string, signal: AbortSignal): Promise<number | undefined> {
    let run: unknown;
    try {
      run = await this.#call(`runs/get?run_id=${encodeURIComponent(runId)}`, undefined, signal);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
    if (at(run, "run", "info", "lifecycle_stage") === "deleted") return undefined;
    const metrics = at(run, "run", "data", "metrics");
    const steps = Array.isArray(metrics) ? metrics.map((metric) => Number(at(metric, "step") ?? 0)) : [];
    return steps.reduce((most, step) => Math.max(most, step), -1);
  }

  /** Up to `mostMetricsPerRequest` of them. Numbers that JSON lacks are sent under their protobuf names. */
  async logMetrics(runId: string, metrics: readonly MlflowMetric[], signal: AbortSignal): Promise<void> {
    const sent = metrics.map(({ key, value, ...rest }) => ({
      key: mlflowName(key),
      value: Number.isFinite(value) ? value : String(value),
      ...rest,
    }));
    await this.#call("runs/log-batch", { run_id: runId, metrics: sent }, signal);
  }

  async logParameters(runId: string, parameters: readonly (readonly [string, string])[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < parameters.length; from += mostParametersPerRequest) {
      const params = parameters
        .slice(from, from + mostParametersPerRequest)
        .map(([key, value]) => ({ key: mlflowName(key), value: struck(value).slice(0, longestParameter) }));
      await this.#call("runs/log-batch", { run_id: runId, params }, signal);
    }
  }

  async setStatus(runId: string, status: MlflowStatus, signal: AbortSignal): Promise<void> {
    await this.#call("runs/update", { run_id: runId, status, ...(status === "RUNNING" ? {} : { end_time: Date.now() }) }, signal);
  }

  /** POST with a body, GET without. */
  async #call(method: string, body: object | undefined, signal: AbortSignal): Promise<unknown> {
    const reply = await this.#connections.request(new URL(`${this.#base}/${method}`), {
      headers: this.#headers,
      body: body === undefined ? undefined : JSON.stringify(struckValue(body)),
      signal,
      withinSeconds: this.#timeoutSeconds,
      redirects: 10,
    });
    const { status, body: text } = reply;
    if (status < 200 || status >= 300) {
      throw remoteError("mlflow-refused", `${this.origin} answered ${status} to ${method.split("?")[0]}: ${said(text)}`, {
        status,
        body: struck(text).slice(0, 500),
        retryAfterSeconds: retryAfter(reply.headers),
      });
    }
    try {
      return text === "" ? {} : JSON.parse(text);
    } catch (error) {
      throw remoteError(
        "mlflow-answer",
        `${this.origin} answered ${method.split("?")[0]} with something that is not JSON`,
        {},
        { cause: error },
      );
    }
  }
}

/**
 * The Authorization header that MLflow's own clients would send: from MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or from
 * MLFLOW_TRACKING_TOKEN.
 */
export function mlflowAuthorization(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password, MLFLOW_TRACKING_TOKEN: token } = environment;
  if (user && password) {
    keepPair(user, password, "MLFLOW_TRACKING_PASSWORD");
    return basic(user, password);
  }
  keepSecret(token, "MLFLOW_TRACKING_TOKEN");
  return token ? `Bearer ${token}` : undefined;
}

/** Letters, digits and `_ - . / space` stay, as far as the name is a plain path; what else it holds becomes `_`. */
export function mlflowName(name: string): string {
  const parts = name
    .slice(0, longestName)
    .replaceAll(/[^\p{L}\p{N}_\-. /]/gu, "_")
    .split("/")
    .filter((part) => part !== "")
    .map((part) => (/^\.+$/.test(part) ? "_" : part));
  return parts.length === 0 ? "_" : parts.join("/");
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function readAddress(uri: string): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw userError(
    "mlflow-address",
    `"${uri.replace(/\/\/[^/]*@/, "//")}" is not the address of an MLflow server`,
    "Give one such as http://127.0.0.1:5000; `mlflow server` starts one.",
  );
}

export function statusOf(error: unknown): number | undefined {
  return (error as { remote?: { status?: number } } | undefined)?.remote?.status;
}

/** MLflow's message where the body has one. */
function said(text: string): string {
  const message = at(jsonIn(text), "message");
  return struck(typeof message === "string" ? message : text).slice(0, 300);
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce(
    (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );
}

function textAt(value: unknown, ...path: string[]): string {
  const found = at(value, ...path);
  if (typeof found === "string") return found;
  throw remoteError("mlflow-answer", `the answer of the MLflow server has no ${path.join(".")}`, {});
}
