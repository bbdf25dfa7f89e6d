import type { QueueEntry } from "./job.ts";
import type { InstanceType, Offer } from "./offer.ts";
import { fits, type Resources } from "./values/resources.ts";

/** What of a job decides where it can run. */
export type Wants = Pick<QueueEntry, "needs" | "gpu" | "spot">;

/** Whether this type's GPUs will do; a job without GPUs takes any. */
export const suits = (type: InstanceType, wants: Wants): boolean =>
  wants.needs.gpus === 0 ||
  (type.gpu !== undefined &&
    type.gpu.memoryGiB >= wants.gpu.memoryGiB &&
    (wants.gpu.models.length === 0 || wants.gpu.models.some((model) => model.toLowerCase() === type.gpu?.model.toLowerCase())));

/** Whether `room` on a node of this type holds the job (or, with summed needs, several like it). */
export const holds = (type: InstanceType, room: Resources, wants: Wants): boolean => fits(wants.needs, room) && suits(type, wants);

/** Whether the job may run on what this offer buys. */
export const mayBuy = (offer: Offer, wants: Wants): boolean => wants.spot || offer.market === "on-demand";
