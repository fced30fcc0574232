/**
 * Metrics are read by the programs they are sent to: TensorBoard's own reader and MLflow's own server and client. Needs a Python with
 * tensorboard or mlflow, named by MIDCOURSE_PYTHON (python3 otherwise); skips with the reason without.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMetricSinks } from "#record/metric-sinks.ts";

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
let folder: string;
let server: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "midcourse-sinks-"));
});
afterEach(async () => {
  // The server has processes of its own; all of them are in the group that it was started as.
  if (server?.pid !== undefined && server.exitCode === null) {
    const gone = new Promise((resolve) => server?.once("exit", resolve));
    process.kill(-server.pid, "SIGTERM");
    await gone;
  }
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

interface Reading {
  missing?: string;
  version: string;
  read: Record<string, [step: number, value: string][]>;
  runs: { experiment: string; name: string; status: string; params: Record<string, string>; history: Reading["read"] }[];
}

/** What the peer read, or why it could not. */
function readWith(peer: "tensorboard" | "mlflow", where: string): Reading | undefined {
  let reading: Reading;
  try {
    const script = path.join(import.meta.dirname, "metric_sinks.py");
    reading = JSON.parse(execFileSync(python, [script, peer, where], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    reading = { missing: `there is no ${python}` } as Reading;
  }
  if (reading.missing === undefined) {
    console.log(`Read with ${peer} ${reading.version}.`);
    return reading;
  }
  console.log(`Skipped: ${peer} cannot read (${reading.missing}); name a Python that has it in MIDCOURSE_PYTHON.`);
  return undefined;
}

test("TensorBoard reads every value once, after a restart too", async ({ skip }) => {
  const first = openMetricSinks({ tensorboard: folder, runName: "pasr" });
  for (const step of [1, 2, 3, 4]) first.log(step, { reward: step / 4, timing: { seconds: 2 } });
  // Killed here: the file is not closed. The checkpoint was of step 2, so steps 3 and 4 are done again.
  const second = openMetricSinks({ tensorboard: folder, runName: "pasr", stepsDone: 2 });
  second.log(3, { reward: 10, ü: Number.NaN });
  await second.close();
  await first.close();
  const reading = readWith("tensorboard", path.join(folder, "pasr"));
  if (!reading) return skip();
  expect(reading.read).toEqual({
    reward: [
      [1, "0.25"],
      [2, "0.5"],
      [3, "10.0"],
    ],
    "timing/seconds": [
      [1, "2.0"],
      [2, "2.0"],
    ],
    ü: [[3, "nan"]],
  });
});

test("an MLflow server takes runs, and goes on with them", async ({ skip }) => {
  try {
    execFileSync(python, ["-c", "import mlflow.server, sqlalchemy"], { stdio: "ignore" });
  } catch {
    console.log(`Skipped: ${python} cannot start an MLflow server; name a Python that has mlflow in MIDCOURSE_PYTHON.`);
    return skip();
  }
  const uri = await startServer();
  const options = {
    mlflow: uri,
    experiment: "tries",
    runName: "pasr",
    runFolder: folder,
    parameters: { seed: 7, adamW: { beta1: 0.9 } },
  };
  const first = openMetricSinks(options);
  for (const step of [1, 2, 3]) first.log(step, { reward: step / 4, timing: { seconds: 2 }, odd: Number.NaN });
  expect(await first.close("interrupted")).toMatchObject([{ sent: 9, lost: 0 }]);
  const second = openMetricSinks({ ...options, stepsDone: 2 });
  for (const step of [3, 4]) second.log(step, { reward: step / 4 });
  expect(await second.close()).toMatchObject([{ sent: 2, lost: 0 }]);
  const reading = readWith("mlflow", uri);
  if (!reading) return skip();
  expect(reading.runs).toEqual([
    {
      experiment: "tries",
      name: "pasr",
      status: "FINISHED",
      params: { seed: "7", "adamW.beta1": "0.9" },
      history: {
        reward: [1, 2, 3, 4].map((step) => [step, String(step / 4).replace(/^1$/, "1.0")]),
        "timing/seconds": [1, 2, 3].map((step) => [step, "2.0"]),
        odd: [1, 2, 3].map((step) => [step, "nan"]),
      },
    },
  ]);
});

async function startServer(): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const store = ["--backend-store-uri", `sqlite:///${folder}/runs.sqlite`, "--artifacts-destination", path.join(folder, "files")];
  server = spawn(python, ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1", ...store], {
    stdio: "ignore",
    detached: true,
  });
  const uri = `http://127.0.0.1:${port}`;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the MLflow server ended with ${server.exitCode}`);
    const isUp = await fetch(`${uri}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return uri;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
