import { fileKey, type Manifest, manifestKey } from "../../../../events/artifacts/upload.ts";
import { outboxKey } from "../../../../events/outbox/outbox.ts";
import type { OutboxRef } from "../../../model/job.ts";
import type { LeftOutboxes, Outboxes, OutboxQueue } from "../../../ports/islands/outboxes.ts";
import { Interruptions } from "../interruptions.ts";

/** What a node left of an attempt. */
export type LeftOutbox = {
  readonly process: string;
  readonly report: unknown;
  readonly files: Readonly<Record<string, Buffer>>;
  /** Undefined if the attempt keeps no files. */
  readonly manifest?: Manifest | undefined;
  /** Called when its files and their manifest have arrived. */
  readonly delivered?: () => void;
};

/** Outboxes in memory, which are delivered into `incoming`. */
export class MemoryOutboxes implements Outboxes, LeftOutboxes {
  readonly interruptions = new Interruptions<"open" | "deliver" | "leftAtMs">();
  /** What was left, and when, by the outbox's key. */
  readonly left = new Map<string, LeftOutbox & { readonly atMs: number }>();
  /** How many outboxes are open. */
  opened = 0;
  readonly #incoming: Map<string, Buffer>;
  readonly #now: () => number;

  constructor(incoming: Map<string, Buffer>, now: () => number) {
    this.#incoming = incoming;
    this.#now = now;
  }

  leave(outbox: OutboxRef, what: LeftOutbox): void {
    this.left.set(outboxKey(outbox), { ...what, atMs: this.#now() });
  }

  leftAtMs: LeftOutboxes["leftAtMs"] = (outbox) => this.interruptions.call("leftAtMs", () => this.left.get(outboxKey(outbox))?.atMs);

  open: Outboxes["open"] = (outbox) =>
    this.interruptions.call("open", () => {
      const found = this.left.get(outboxKey(outbox));
      if (found === undefined) return undefined;
      this.opened += 1;
      return {
        process: found.process,
        report: found.report,
        deliver: () =>
          this.interruptions.call("deliver", () => {
            for (const [path, bytes] of Object.entries(found.files)) this.#incoming.set(fileKey(outbox, path), bytes);
            if (found.manifest) {
              this.#incoming.set(manifestKey(outbox), Buffer.from(JSON.stringify(found.manifest)));
              found.delivered?.();
            }
            return { isWhole: found.manifest !== undefined && found.manifest.incomplete !== true };
          }),
        close: () => {
          this.opened -= 1;
        },
      };
    });
}

/** Remembers the outboxes that should be taken in again. */
export class MemoryOutboxQueue implements OutboxQueue {
  readonly interruptions = new Interruptions<"send">();
  readonly sent: OutboxRef[] = [];

  send(outbox: OutboxRef): Promise<void> {
    return this.interruptions.call("send", () => void this.sent.push(outbox));
  }
}
