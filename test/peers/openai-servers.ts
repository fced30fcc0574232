/** Servers that are not ours, started on loopback with the shipped checkpoint; undefined, with the reason printed, where one is missing. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface PeerServer {
  name: string;
  baseUrl: string;
  /** Its name for the model. */
  model: string;
  /** Sent with every request. */
  extraBody?: Record<string, unknown>;
  stop(): Promise<void>;
}

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
/** llama-cpp-python is often kept apart, because it is compiled. */
const llamaPython = process.env.MIDCOURSE_LLAMA_PYTHON ?? python;

/** `transformers serve`, from the package transformers[serving]. */
export async function transformersServer(checkpoint: string, folder: string): Promise<PeerServer | undefined> {
  const needs = "import transformers.cli.serving.server, torch, fastapi, uvicorn, openai; print(transformers.__version__)";
  const version = await modulesOf("transformers serve", python, needs);
  if (version === undefined) return undefined;
  const model = path.join(folder, "checkpoint");
  await cp(checkpoint, model, { recursive: true });
  await tellServer(model);
  // Without a cache folder its list of models fails with 500.
  await mkdir(path.join(folder, "hub"), { recursive: true });
  const start = (port: number) => [
    "-c",
    "from transformers.cli.transformers import main; main()",
    ...["serve", model, "--host", "127.0.0.1", "--port", `${port}`, "--device", "cpu"],
  ];
  return await startServer(`transformers serve ${version}`, model, python, start, "health", {
    HF_HOME: folder,
    HF_HUB_OFFLINE: "1",
  });
}

/**
 * What the server has to know and reads from the checkpoint alone: that it may sample (it answers greedily at any temperature otherwise), and
 * how an answer looks. For a Qwen3 without a response template it takes ChatML, which puts the prompt into the answer of any other template.
 */
async function tellServer(folder: string): Promise<void> {
  await writeFile(
    path.join(folder, "generation_config.json"),
    JSON.stringify({ do_sample: true, top_k: 0, eos_token_id: 4, pad_token_id: 0 }),
  );
  const file = path.join(folder, "tokenizer_config.json");
  const config = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  const fields = { content: { close: ["<|end|>"], content: "text" } };
  config.response_template = { defaults: { role: "assistant" }, start_anchor: "<|assistant|>", fields };
  await writeFile(file, JSON.stringify(config));
}

/** llama.cpp behind the server of llama-cpp-python[server]; the checkpoint is written as GGUF first. */
export async function llamaServer(checkpoint: string, folder: string): Promise<PeerServer | undefined> {
  const version = await modulesOf(
    "llama.cpp",
    llamaPython,
    "import llama_cpp.server.app, llama_cpp; print(llama_cpp.__version__)",
  );
  const writer = await modulesOf("llama.cpp", python, "import gguf, safetensors.numpy; print('ok')");
  if (version === undefined || writer === undefined) return undefined;
  const file = path.join(folder, "model.gguf");
  await run(python, [path.join(import.meta.dirname, "openai-servers-gguf.py"), checkpoint, file]);
  const start = (port: number) => [
    ...["-m", "llama_cpp.server", "--model", file, "--host", "127.0.0.1", "--port", `${port}`],
    // Type 0 is float32: with keys and values in its usual float16 a close call between two tokens can go the other way.
    ...["--n_ctx", "1024", "--n_threads", "1", "--type_k", "0", "--type_v", "0"],
  ];
  const server = await startServer(`llama-cpp-python ${version}`, file, llamaPython, start, "v1/models", {});
  // Its own defaults are not the model's distribution: what was said before is made less likely, greedily too.
  return { ...server, extraBody: { repeat_penalty: 1, top_k: 0, min_p: 0 } };
}

async function modulesOf(name: string, program: string, code: string): Promise<string | undefined> {
  try {
    return (await run(program, ["-c", code])).stdout.trim();
  } catch (error) {
    const why = ((error as { stderr?: string }).stderr || (error as Error).message).trim().split("\n").at(-1);
    console.log(`Skipped: ${program} cannot run ${name} (${why}); name a Python in MIDCOURSE_PYTHON or MIDCOURSE_LLAMA_PYTHON.`);
    return undefined;
  }
}

async function startServer(
  name: string,
  model: string,
  program: string,
  start: (port: number) => string[],
  health: string,
  environment: Record<string, string>,
): Promise<PeerServer> {
  const port = await freePort();
  const child = spawn(program, start(port), {
    env: { ...process.env, OMP_NUM_THREADS: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
  }
  const server = { name, model, baseUrl: `http://127.0.0.1:${port}/v1`, stop: () => stopChild(child) };
  for (let waited = 0; waited < 240; waited++) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`);
    const reply = await fetch(`http://127.0.0.1:${port}/${health}`).catch(() => undefined);
    await reply?.body?.cancel();
    if (reply?.ok) {
      console.log(`Talking to ${name}.`);
      return server;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await server.stop();
  throw new Error(`${name} did not answer within two minutes: ${said}`);
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
