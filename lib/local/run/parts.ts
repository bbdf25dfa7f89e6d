import type { Log } from "./log-line.ts";

export type Closeable = { close(): Promise<void> };

/** What was started, to be ended in the opposite order. */
export type Parts = {
  readonly log: Log;
  add<T extends Closeable>(part: T): T;
  /** Ends all; a part that fails to end does not keep the others. May be called again. */
  close(): Promise<void>;
};

export function createParts(log: Log): Parts {
  const parts: Closeable[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (let part = parts.pop(); part; part = parts.pop())
      await part.close().catch((error: unknown) => log({ message: "A part did not close", error }));
  };
  return {
    log,
    add: (part) => {
      parts.push(part);
      return part;
    },
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** Resolves when all have; when one fails, rejects once the others have ended too, so that nothing starts behind our back. */
export async function together<T extends readonly unknown[]>(work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return Promise.all(work) as Promise<T>;
}
