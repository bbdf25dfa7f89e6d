import { type Conditions, conditionWords, isCondition } from "../../model/wants.ts";
import type { Reason, Waiting } from "../../optimizer/search/solution.ts";
import { money, number } from "./figures.ts";

/** Returns why an offer or a node cannot hold a job, in words. */
export function reasonWords(reason: Reason): string {
  if (isUnmet(reason)) return conditionWords(reason.kind).reason;
  switch (reason.kind) {
    case "no offers":
      return "there are no offers";
    case "model":
      return "it needs another GPU model";
    case "gpus":
      return `it needs ${gpus(reason.wanted)} and one has ${number(reason.there)}`;
    case "gpu memory":
      return `it needs GPUs with ${number(reason.wanted)} GiB and they have ${number(reason.there)}`;
    case "size":
      return `it needs ${number(reason.wanted)} ${reason.of} and one offers ${number(reason.there)}`;
    case "capacity":
      return `it needs ${number(reason.wanted)} of them and ${number(reason.there)} are available`;
    case "limit":
      return `it needs ${number(reason.wanted)} ${reason.of} and the limit leaves ${number(Math.max(0, reason.there))}`;
  }
}

/** Returns what would have to change to remove a reason. */
function changeWords(reason: Reason): string | undefined {
  if (isUnmet(reason)) return conditionWords(reason.kind).change;
  switch (reason.kind) {
    case "no offers":
      return undefined;
    case "model":
      return "its model among gpuModels";
    case "gpus":
      return reason.there === 0 ? "no GPUs" : `at most ${gpus(reason.there)}`;
    case "gpu memory":
      return `gpuMemoryGiB of at most ${number(reason.there)}`;
    case "size":
      return `at most ${number(Math.floor(reason.there * 100) / 100)} ${reason.of}`;
    case "capacity":
      return `${number(reason.wanted - reason.there)} more available`;
    case "limit":
      return `a limit that is ${number(reason.wanted - Math.max(0, reason.there))} ${reason.of} higher`;
  }
}

type Unmet = Extract<Reason, { kind: Exclude<keyof Conditions, "gpu"> }>;
const isUnmet = (reason: Reason): reason is Unmet => isCondition(reason.kind);

const gpus = (count: number): string => `${number(count)} ${count === 1 ? "GPU" : "GPUs"}`;

/** Returns all reasons: `it needs 16 GiB of memory and one offers 14.72`. */
export const whyWords = ({ reasons }: Pick<Waiting, "reasons">): string => reasons.map(reasonWords).join("; ");

/** Returns the cheapest change: `with at most 14.72 GiB of memory it could have g5.xlarge/any/spot for $0.41/h`. */
export function cheapestChange({ reasons, change }: Pick<Waiting, "reasons" | "change">): string | undefined {
  const wanted = reasons.flatMap((reason) => changeWords(reason) ?? []);
  if (!change || wanted.length === 0) return undefined;
  return `with ${wanted.join(", and ")} it could have ${change.offer} for ${money(change.usdPerHour)}/h`;
}
