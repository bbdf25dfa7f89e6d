import { fileKey, type Manifest, manifestKey } from "../../events/artifacts/upload.ts";
import { outboxKey } from "../../events/outbox/outbox.ts";
import type { OutboxRef } from "../../lib/model/job.ts";
import type { Outboxes } from "../../lib/ports/islands/outboxes.ts";
import { Interruptions } from "../../lib/sim/memory/interruptions.ts";

/** What a node left of an attempt. */
export type LeftOutbox = {
  readonly process: string;
  readonly report: unknown;
  readonly files: Readonly<Record<string, Buffer>>;
  /** Undefined if the attempt keeps no files. */
  readonly manifest?: Manifest | undefined;
};

/** Outboxes in memory, which are delivered into `incoming`. */
export class MemoryOutboxes implements Outboxes {
  readonly interruptions = new Interruptions<"open" | "deliver">();
  readonly left = new Map<string, LeftOutbox>();
  /** How many outboxes are open. */
  opened = 0;
  readonly #incoming: Map<string, Buffer>;

  constructor(incoming: Map<string, Buffer>) {
    this.#incoming = incoming;
  }

  leave(outbox: OutboxRef, what: LeftOutbox): void {
    this.left.set(outboxKey(outbox), what);
  }

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
            if (found.manifest) this.#incoming.set(manifestKey(outbox), Buffer.from(JSON.stringify(found.manifest)));
            return { isWhole: found.manifest !== undefined && found.manifest.incomplete !== true };
          }),
        close: () => {
          this.opened -= 1;
        },
      };
    });
}
