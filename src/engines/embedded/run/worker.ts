/** The engine's thread: takes one call at a time, so that two callers never share the cores, and listens for aborts between batches. */
import { parentPort, workerData } from "node:worker_threads";
import { bugError } from "#kernel/errors.ts";
import { onnxRuntime, partFailure } from "#kernel/optional-parts.ts";
import { LanguageModel, type ModelSource } from "./language-model.ts";
import { type Request, type Response, toWire } from "./messages.ts";

const port = parentPort!;
const { source, threads } = workerData as { source: ModelSource; threads: number };
const models = new Map<number, LanguageModel>();
const controllers = new Map<number, AbortController>();
let nextTarget = 1;
let queue: Promise<unknown> = Promise.resolve();

port.on("message", (request: Request) => {
  if (request.type === "abort") {
    controllers.get(request.id)?.abort();
    return;
  }
  const controller = new AbortController();
  controllers.set(request.id, controller);
  queue = queue.then(async () => {
    let response: Response;
    try {
      controller.signal.throwIfAborted();
      response = { id: request.id, value: await perform(request, controller.signal) };
    } catch (error) {
      response = { id: request.id, error: toWire(error) };
    }
    controllers.delete(request.id);
    port.postMessage(response);
    if (request.method === "close" && request.target === 0) port.close();
  });
});

async function perform(request: Request & { type: "call" }, signal: AbortSignal): Promise<unknown> {
  const { target, method, parameters } = request;
  if (method === "open") {
    // Loaded here, so that a library that does not fit the machine is told as what it is.
    const { onnxRuntimeBackend } = await import("./runtime.ts").catch((error) => {
      throw partFailure(onnxRuntime, error);
    });
    const opened = await LanguageModel.open(source, onnxRuntimeBackend(threads));
    models.set(0, opened);
    return opened.info;
  }
  const model = models.get(target);
  if (model === undefined) throw bugError("engine-closed", "This model has been closed.");
  // The engine sends what its own typed methods were given.
  const [first, second] = parameters as [never, never];
  switch (method) {
    case "sample":
      return model.sample(first, second, signal);
    case "logprobs":
      return model.logprobs(first, signal);
    case "accumulate":
      return model.accumulate(first, signal);
    case "accumulatePolicy":
      return model.accumulatePolicy(first, second, signal);
    case "step":
      return model.step(first);
    case "clearGradient":
      return model.clearGradient();
    case "freeze": {
      const frozen = nextTarget++;
      models.set(frozen, model.freeze());
      return frozen;
    }
    case "save":
      return model.save(first, second);
    case "restore":
      return model.restore(first);
    case "close":
      models.delete(target);
      return target === 0 ? model.close() : model.release();
    default:
      throw bugError("engine-method", `The engine has no call named ${method}.`);
  }
}
