import type { AttemptRef, QueueEntry } from "./job.ts";
import type { Launch, Reservation } from "./launch.ts";
import type { WiderLimits, WiderReserved } from "./limits.ts";
import type { BootFailure, Drain, Node } from "./node.ts";
import type { Catalogue } from "./offer.ts";
import type { NextPool, Pool, Spent } from "./pool.ts";
import type { Refusal } from "./refusal.ts";

/** All that one decision may look at. */
export type Snapshot = {
  readonly nowMs: number;
  readonly pool: Pool;
  readonly reserved: Reservation;
  /** What limits there are beyond the pool's, and what they leave; absent where there are none. */
  readonly wider?: { readonly limits: WiderLimits; readonly reserved: WiderReserved } | undefined;
  /** Without the nodes whose end is not on record yet. */
  readonly spent: Spent;
  readonly queue: readonly QueueEntry[];
  readonly nodes: readonly Node[];
  /** Intents of which nobody knows yet what came. */
  readonly openLaunches: readonly Launch[];
  /** Absent until it was first fetched. */
  readonly catalogue?: Catalogue | undefined;
  /** Where jobs may move when EC2 gives this pool nothing, in order; absent for nowhere. */
  readonly next?: readonly NextPool[] | undefined;
  /** What EC2 turned down, in this pool or another. */
  readonly refusals: readonly Refusal[];
  /** Of the last hours; absent for none. */
  readonly bootFailures?: readonly BootFailure[] | undefined;
  /** What the pool's packings have taught so far; absent for nothing. */
  readonly learned?: Learned | undefined;
};

/** One thing to do, and why. Steps begin in the plan's order and run side by side: none depends on another of its plan. */
export type Step =
  /** Give an attempt to a node. */
  | { readonly kind: "bind"; readonly entry: QueueEntry; readonly node: string; readonly because: string }
  /** Give a gang's attempt to all its nodes, by rank, or to none. */
  | { readonly kind: "bind-gang"; readonly entry: QueueEntry; readonly nodes: readonly string[]; readonly because: string }
  /** Ask EC2 for a node that holds these jobs, or for a gang's nodes. */
  | { readonly kind: "launch"; readonly launch: Omit<Launch, "id" | "clientToken" | "intendedAtMs">; readonly because: string }
  /** End a node that holds nothing. */
  | { readonly kind: "retire"; readonly node: string; readonly because: string }
  /** Give a node nothing more, and have what it holds leave until then. */
  | ({ readonly kind: "drain"; readonly node: string } & Drain)
  /** End a node whose time was up and whose worker does not let go: EC2's word that it has ended gives back what it holds. */
  | { readonly kind: "end"; readonly node: string; readonly because: string }
  /** A node is dead: take its attempts back and make sure the instance ends. `neverBooted`: it never became a worker, which counts against its like. */
  | { readonly kind: "lose"; readonly node: string; readonly because: string; readonly neverBooted?: true | undefined }
  /** Forget that these did not boot. */
  | { readonly kind: "heal"; readonly nodes: readonly string[]; readonly because: string }
  /** EC2 has not said that its end came, which was asked for a while ago: look, and ask again if it lives. Or it boots: look whether it does. */
  | { readonly kind: "confirm"; readonly node: string; readonly because: string }
  /** A job that can never run here. */
  | { readonly kind: "fail"; readonly attempt: AttemptRef; readonly because: string }
  /** A job that waits in vain here waits in another pool from now on. */
  | { readonly kind: "move"; readonly entry: QueueEntry; readonly to: string; readonly because: string }
  /** A job that has to wait, for a reason it has not been told yet. */
  | { readonly kind: "hold"; readonly entry: QueueEntry; readonly because: string };

/** How the jobs that are to share new nodes were packed. */
export type Packing = {
  /** Whose packing it is. */
  readonly engine: string;
  /** Of the cheapest offer for each node. */
  readonly usdPerHour: number;
  /** No packing of the same jobs on what could be bought costs less; 0 where nothing is known. */
  readonly boundUsdPerHour: number;
  /** Work that was done for it. */
  readonly steps: number;
};

/** How much dearer than the bound it may be, as a share of it; undefined where there is no bound. */
export const gapOf = ({ usdPerHour, boundUsdPerHour }: Packing): number | undefined =>
  boundUsdPerHour > 0 ? usdPerHour / boundUsdPerHour - 1 : undefined;

/** What one decision wants. Empty steps mean: nothing to do. */
export type Plan = {
  readonly steps: readonly Step[];
  /** When to look again though nothing happens; absent when only an event can change the plan. */
  readonly wakeAtMs?: number | undefined;
  /** Absent when nothing was packed. */
  readonly packing?: Packing | undefined;
  /** … and what that has taught, with all from before. */
  readonly learned?: Learned | undefined;
};

/** What an engine of the optimizer brought on problems of one sort so far: how often it was given work, and what that earned (0 to 1 each time). */
export type Experience = { readonly tries: number; readonly reward: number };

/**
 * By sort of problem and engine. It is data: it can be looked at, kept between decisions, and reset by leaving it out. Another release
 * may have stored it, so it may name engines that this one does not have; they are ignored.
 */
export type Learned = Readonly<Record<string, Readonly<Record<string, Experience>>>>;
