import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import { interruptionWarningMs, type Notice } from "../../model/telemetry.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import type { Metadata } from "./metadata.ts";

/** What the metadata service reports about this instance. */
export type InstanceNews = {
  readonly address?: string | undefined;
  readonly notice?: Notice | undefined;
  /** When EC2 reclaims the instance, in monotonic ms; undefined if that is not known. */
  readonly endsAtMs?: number | undefined;
};

export type InstanceWatchOptions = {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Is called when the address or a notice becomes known. */
  readonly changed: () => void;
  /** Ends the watch when it is aborted. */
  readonly signal: AbortSignal;
};

/** AWS recommends this interval for interruption notices. */
const everyMs = 5_000;

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const InstanceAction = z.object({ action: z.string(), time });
const Rebalance = z.object({ noticeTime: time });

/**
 * Polls the metadata service for the instance's address, until it is known, and for notices of its end. A notice stays, and only an
 * interruption replaces a rebalance recommendation. Returns a function that returns what is known. If the service cannot be reached, this
 * is logged once and polling goes on.
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
      await look({ metadata, clock }, notebook);
      failing = false;
    } catch (error) {
      if (!failing) log("warn", "metadata service unreachable", {}, error);
      failing = true;
    }
    await sleep(clock, everyMs, signal);
  }
}

async function look({ metadata, clock }: Pick<InstanceWatchOptions, "metadata" | "clock">, { known, learn }: Notebook): Promise<void> {
  if (known().address === undefined) {
    const address = z.ipv4().safeParse((await metadata.get("meta-data/local-ipv4"))?.trim());
    if (address.success) learn({ address: address.data });
  }
  const before = known().notice;
  if (before?.kind === "interruption") return;
  const action = parse(InstanceAction, await metadata.get("meta-data/spot/instance-action"));
  if (action !== undefined) {
    const endsAtMs = clock.monotonicMs() + timeLeftMs(action.time - clock.wallMs());
    return learn({ notice: { kind: "interruption", atMs: action.time - interruptionWarningMs }, endsAtMs });
  }
  if (before !== undefined) return;
  const rebalance = parse(Rebalance, await metadata.get("meta-data/events/recommendations/rebalance"));
  if (rebalance !== undefined) learn({ notice: { kind: "rebalance", atMs: rebalance.noticeTime } });
}

/**
 * Returns how much time is left before EC2 reclaims the instance. A time that has passed, or that is further away than EC2's warning, means
 * that this machine's clock is wrong. Then the notice was given since the last poll.
 */
const timeLeftMs = (byTheClockMs: number): number =>
  byTheClockMs > 0 && byTheClockMs <= interruptionWarningMs ? byTheClockMs : interruptionWarningMs - everyMs;

/** Returns the parsed text, or undefined if there is none or it does not match the schema. */
const parse = <T>(schema: z.ZodType<T>, text = ""): T | undefined => schema.safeParse(jsonOf(text)).data;
