import type { LocalLog } from "./log-line.ts";

export type Closeable = { close(): Promise<void> };

/** The parts that were started. They are closed in reverse order. */
export type Parts = {
  readonly log: LocalLog;
  add<T extends Closeable>(part: T): T;
  /** Closes all parts. If one fails to close, the others are closed anyway. Calling it twice is safe. */
  close(): Promise<void>;
};

export function createParts(log: LocalLog): Parts {
  const parts: Closeable[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (let part = parts.pop(); part; part = parts.pop())
      await part.close().catch((error: unknown) => log({ message: "part not closed", error }));
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

/** Resolves when all have resolved. If one fails, rejects after the others have settled, so that nothing is started after that. */
export async function together<T extends readonly unknown[]>(work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return Promise.all(work) as Promise<T>;
}
