import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type MlflowServer, startMlflowServer } from "../../test/support/mlflow-server.ts";
import { flattenMetrics, type MetricSinkOptions, openMetricSinks } from "./metric-sinks.ts";
import { mlflowAuthorization, mlflowName } from "./mlflow-client.ts";
import { TensorBoardFile } from "./tensorboard.ts";

let server: MlflowServer;
let folder: string;
let told: string[];
beforeEach(async () => {
  server = await startMlflowServer();
  folder = mkdtempSync(path.join(tmpdir(), "sinks-"));
  told = [];
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: Partial<MetricSinkOptions> = {}) {
  return openMetricSinks({
    mlflow: server.uri,
    tell: (message) => told.push(message),
    environment: {},
    retrySeconds: [0.01, 0.01],
    ...options,
  });
}

const run = () => [...server.runs.values()][0];
const points = (which = run()) => which.metrics.map(({ key, value, step }) => [key, value, step]);

test("every number of an object, inner ones under their path", () => {
  const metrics = {
    reward: 1,
    none: undefined,
    isDone: true,
    name: "x",
    list: [1],
    timing: { seconds: 2, inner: { deep: Number.NaN } },
    gone: null,
  };
  expect(flattenMetrics(metrics)).toEqual([
    ["reward", 1],
    ["timing/seconds", 2],
    ["timing/inner/deep", Number.NaN],
  ]);
});

describe("MLflow", () => {
  test("makes the experiment and the run, sends what is logged, and says how it ended", async () => {
    const sinks = open({
      runName: "pasr-1",
      experiment: "tries",
      parameters: { seed: 7, adamW: { beta1: 0.9 }, none: null, list: [1, 2], text: "a" },
    });
    sinks.log(1, { reward: 0.5, timing: { seconds: 2 } });
    sinks.log(2, { reward: Number.NaN, best: Number.POSITIVE_INFINITY });
    expect(await sinks.close()).toEqual([{ sink: "mlflow", place: server.uri, sent: 4, lost: 0 }]);
    expect(run()).toMatchObject({ name: "pasr-1", experiment: "1", status: "FINISHED" });
    expect([...run().params]).toEqual([
      ["seed", "7"],
      ["adamW.beta1", "0.9"],
      ["list", "[1,2]"],
      ["text", "a"],
    ]);
    expect(points()).toEqual([
      ["reward", 0.5, 1],
      ["timing/seconds", 2, 1],
      ["reward", "NaN", 2],
      ["best", "Infinity", 2],
    ]);
    expect(told).toEqual([]);
    sinks.log(3, { reward: 1 });
    expect(await sinks.close()).toHaveLength(1);
    expect(points()).toHaveLength(4);
  });

  test("finds an experiment that is there, also one that another process has just made", async () => {
    server.experiments.set("midcourse", "77");
    server.faults.push({ status: 404, retryAfter: "" });
    const sinks = open();
    sinks.log(1, { reward: 1 });
    await sinks.close("interrupted");
    expect(run()).toMatchObject({ experiment: "77", status: "KILLED" });
    expect(server.requests.slice(0, 3)).toEqual([
      "GET experiments/get-by-name",
      "POST experiments/create",
      "GET experiments/get-by-name",
    ]);
  });

  test("sends large batches in parts", async () => {
    const sinks = open();
    for (let step = 1; step <= 30; step++) {
      sinks.log(step, Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, step])));
    }
    expect(await sinks.close()).toMatchObject([{ sent: 3000, lost: 0 }]);
    expect(new Set(points().map((point) => point.join())).size).toBe(3000);
    expect(server.requests.filter((request) => request.endsWith("log-batch")).length).toBeLessThan(8);
  });

  test.each([
    ["errors of the server", [500, 503]],
    ["a connection that is cut", ["drop", "drop"]],
    ["being told to wait", [{ status: 429, retryAfter: "0" }]],
  ] as const)("tries again after %s", async (_, faults) => {
    const sinks = open();
    sinks.log(1, { reward: 1 });
    server.faults.push(...faults);
    expect(await sinks.close()).toMatchObject([{ sent: 1, lost: 0 }]);
    expect(points()).toEqual([["reward", 1, 1]]);
    expect(told).toEqual([]);
  });

  test("what is refused is lost without another try, told once and counted; later values still arrive", async () => {
    const sinks = open();
    sinks.log(1, { reward: 1, other: 2 });
    server.refuse.set("runs/log-batch", 400);
    while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.refuse.clear();
    sinks.log(2, { reward: 3 });
    expect(await sinks.close()).toMatchObject([{ sent: 1, lost: 2, firstFailure: expect.stringContaining("not like this") }]);
    expect(points()).toEqual([["reward", 3, 2]]);
    expect(told).toEqual([expect.stringMatching(/^MLflow: .* answered 400 to runs\/log-batch: not like this; training goes on/)]);
    expect(server.requests.filter((request) => request.endsWith("log-batch"))).toHaveLength(2);
  });

  test("a server that is not there costs its values and nothing else", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const uri = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((resolve) => closed.close(resolve));
    const sinks = open({ mlflow: uri });
    sinks.log(1, { reward: 1 });
    sinks.log(2, { reward: 1 });
    expect(await sinks.close("failed")).toMatchObject([{ sent: 0, lost: 2 }]);
    expect(told).toEqual([expect.stringContaining(`nothing answers at ${uri} (ECONNREFUSED)`)]);
  });

  test("a server that never answers holds the end up for so long and no longer", async () => {
    server.faults.push("hang", "hang", "hang");
    const sinks = open({ closeSeconds: 0.1 });
    sinks.log(1, { reward: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    sinks.log(2, { reward: 1, other: 1 });
    expect(await sinks.close()).toMatchObject([{ sent: 0, lost: 3 }]);
    expect(told).toHaveLength(1);
  });

  test("more than can be kept loses the oldest", async () => {
    server.faults.push("hang");
    const sinks = open({ closeSeconds: 0.2 });
    sinks.log(1, { first: 1 });
    const many = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`m${index}`, 1]));
    sinks.log(2, many);
    sinks.log(3, many);
    const [report] = await sinks.close();
    expect(report.lost).toBe(120_001);
    expect(told[0]).toContain("too slow");
  });

  test("a process that resumes goes on with the run and sends no step twice", async () => {
    const first = open({ runFolder: folder });
    for (const step of [1, 2, 3]) first.log(step, { reward: step });
    await first.close("interrupted");
    expect(run().status).toBe("KILLED");
    const second = open({ runFolder: folder, stepsDone: 2 });
    for (const step of [3, 4, 5]) second.log(step, { reward: step });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(run().status).toBe("RUNNING");
    expect(await second.close()).toMatchObject([{ sent: 3, lost: 0 }]);
    expect(server.runs.size).toBe(1);
    expect(points()).toEqual([1, 2, 3, 4, 5].map((step) => ["reward", step, step]));
  });

  test.each([
    ["was deleted on the server", () => Object.assign(run(), { deleted: true })],
    ["is unknown to the server", () => server.runs.delete("run1")],
    ["cannot be read from its file", () => writeFileSync(path.join(folder, "mlflow.json"), "{")],
  ])("makes a new run where the earlier one %s", async (_, change) => {
    const first = open({ runFolder: folder });
    first.log(1, { reward: 1 });
    await first.close();
    const before = server.requests.filter((request) => request.endsWith("runs/create")).length;
    change();
    const second = open({ runFolder: folder });
    second.log(1, { reward: 1 });
    expect(await second.close()).toMatchObject([{ sent: 1, lost: 0 }]);
    expect(server.requests.filter((request) => request.endsWith("runs/create")).length).toBe(before + 1);
  });

  test("credentials go where MLflow's own clients put them, and into no message", async () => {
    const sinks = open({ environment: { MLFLOW_TRACKING_TOKEN: "secret" } });
    sinks.log(1, { reward: 1 });
    await sinks.close();
    expect(server.headers[0].authorization).toBe("Bearer secret");
    const inside = open({ mlflow: server.uri.replace("//", "//ann:p%40ss@") });
    inside.log(1, { reward: 1 });
    expect((await inside.close())[0].place).toBe(server.uri);
    expect(server.headers.at(-1)?.authorization).toBe(`Basic ${Buffer.from("ann:p@ss").toString("base64")}`);
    expect(mlflowAuthorization({ MLFLOW_TRACKING_USERNAME: "a", MLFLOW_TRACKING_PASSWORD: "b" })).toBe("Basic YTpi");
    expect(mlflowAuthorization({ MLFLOW_TRACKING_TOKEN: "" })).toBeUndefined();
    expect(() => open({ mlflow: "ftp://ann:secret@host" })).toThrow(/^"ftp:\/\/host" is not the address/);
  });

  test("names hold what MLflow allows", () => {
    expect(mlflowName("timing/seconds")).toBe("timing/seconds");
    expect(mlflowName("accuracy@2 ü:%")).toBe("accuracy_2 ü__");
    expect(mlflowName("/a//../b/")).toBe("a/_/b");
    expect(mlflowName("")).toBe("_");
    expect(mlflowName("x".repeat(999))).toHaveLength(250);
  });
});

describe("both and neither", () => {
  test("event files in a folder of the run's name, beside MLflow", async () => {
    const sinks = open({ tensorboard: folder, runName: "runs/pasr-1" });
    sinks.log(1, { reward: 1, timing: { seconds: 2 } });
    const reports = await sinks.close();
    expect(reports.map(({ sink, sent, lost }) => [sink, sent, lost])).toEqual([
      ["mlflow", 2, 0],
      ["tensorboard", 2, 0],
    ]);
    expect(readdirSync(path.join(folder, "pasr-1"))).toHaveLength(1);
    expect(readFileSync(reports[1].place).includes("timing/seconds")).toBe(true);
  });

  test("what cannot be is said before training, and leaves nothing behind", () => {
    writeFileSync(path.join(folder, "file"), "");
    expect(() => open({ tensorboard: path.join(folder, "file") })).toThrow(/in the way|a part of the path/);
    expect(() => open({ tensorboard: path.join(folder, "new"), mlflow: "127.0.0.1:5000" })).toThrow(/not the address/);
    expect(existsSync(path.join(folder, "new"))).toBe(false);
  });

  test("asked for nothing, nothing happens", async () => {
    const sinks = openMetricSinks({});
    sinks.log(1, { reward: 1 });
    expect(await sinks.close()).toEqual([]);
  });

  test("a full disk costs the event file's later values, is told once, and fails nothing", async () => {
    const sinks = open({ tensorboard: folder });
    sinks.log(1, { reward: 1 });
    const write = vi.spyOn(TensorBoardFile.prototype, "write").mockImplementation(() => {
      throw new Error("cannot write the file: the disk is full");
    });
    sinks.log(2, { reward: 1, other: 2 });
    sinks.log(3, { reward: 1 });
    write.mockRestore();
    sinks.log(4, { reward: 1 });
    const reports = await sinks.close();
    expect(reports).toMatchObject([
      { sink: "mlflow", sent: 5, lost: 0 },
      { sink: "tensorboard", sent: 2, lost: 3, firstFailure: "cannot write the file: the disk is full" },
    ]);
    expect(told).toEqual([
      "TensorBoard: cannot write the file: the disk is full; training goes on, and metrics.jsonl has every value",
    ]);
  });

  test("a run folder that cannot be written costs the memory of the run's name, and makes one run", async () => {
    writeFileSync(path.join(folder, "file"), "");
    const sinks = open({ runFolder: path.join(folder, "file") });
    sinks.log(1, { reward: 1 });
    expect(await sinks.close()).toMatchObject([{ sent: 1, lost: 0 }]);
    expect(server.runs.size).toBe(1);
    expect(told).toHaveLength(1);
  });
});
