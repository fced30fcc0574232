/**
 * `work` with something that was opened for it, an engine or a model, which is closed however that ends. In place of `using`, which is a
 * syntax error on the oldest Node we promise.
 */
export async function withOpened<Opened extends { close(): Promise<void> }, Result>(
  opened: Opened,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
