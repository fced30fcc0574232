/** Ctrl-C: the first asks the command to stop cleanly at the next safe point, the second ends the process at once. */

export function interruptSignal(write: (text: string) => void = (text) => process.stderr.write(text)): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    write("\nStopping at the next safe point; press Ctrl-C again to stop at once.\n");
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
