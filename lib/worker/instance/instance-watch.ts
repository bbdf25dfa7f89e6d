import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import type { Notice } from "../../model/telemetry.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Metadata } from "./metadata.ts";

/** What the metadata service says of this instance. */
export type InstanceNews = { readonly address?: string | undefined; readonly notice?: Notice | undefined };

export type InstanceWatchOptions = {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when there is news: the address, or a notice. */
  readonly changed: () => void;
  /** Ends the watching. */
  readonly signal: AbortSignal;
};

/** As AWS asks of those who watch for interruptions. */
const everyMs = 5_000;
/** A spot instance is told two minutes before it is taken back. */
const warningMs = 2 * 60_000;

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const InstanceAction = z.object({ action: z.string(), time });
const Rebalance = z.object({ noticeTime: time });

/**
 * Asks the metadata service for the instance's address, until it has it, and for notices of its end, for ever: a notice
 * stays, and only an interruption follows a recommendation. The service being out of reach is said once and tried again.
 */
export function watchInstance(options: InstanceWatchOptions): () => InstanceNews {
  let news: InstanceNews = {};
  void watch(options, {
    known: () => news,
    learn: (more) => {
      news = { ...news, ...more };
      options.changed();
    },
  });
  return () => news;
}

type Notebook = { readonly known: () => InstanceNews; readonly learn: (more: InstanceNews) => void };

async function watch({ metadata, clock, log, signal }: InstanceWatchOptions, notebook: Notebook): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await look(metadata, notebook);
      failing = false;
    } catch (error) {
      if (!failing) log("warn", "the metadata service cannot be asked", {}, error);
      failing = true;
    }
    await sleep(clock, everyMs, signal);
  }
}

async function look(metadata: Metadata, { known, learn }: Notebook): Promise<void> {
  if (known().address === undefined) {
    const address = z.ipv4().safeParse((await metadata.get("meta-data/local-ipv4"))?.trim());
    if (address.success) learn({ address: address.data });
  }
  const before = known().notice;
  if (before?.kind === "interruption") return;
  const action = parse(InstanceAction, await metadata.get("meta-data/spot/instance-action"));
  if (action !== undefined) return learn({ notice: { kind: "interruption", atMs: action.time - warningMs } });
  if (before !== undefined) return;
  const rebalance = parse(Rebalance, await metadata.get("meta-data/events/recommendations/rebalance"));
  if (rebalance !== undefined) learn({ notice: { kind: "rebalance", atMs: rebalance.noticeTime } });
}

/** Undefined for nothing, and for what has another shape. */
const parse = <T>(schema: z.ZodType<T>, text = ""): T | undefined => schema.safeParse(jsonOf(text)).data;
