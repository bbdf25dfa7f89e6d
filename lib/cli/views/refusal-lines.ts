import type { PoolView } from "../../api/views/pools.ts";
import { count } from "../terminal/amount.ts";
import { duration, moment } from "../terminal/duration.ts";

type Refusal = PoolView["refusals"][number];

/** The most types that a line names. If there are more, it names only their families. */
const maxNamed = 4;

/** Returns what EC2 refused, one line per reason and market, because in a shortage EC2 may refuse every type in every zone. */
export const refusalLines = (refusals: readonly Refusal[], nowMs: number): string[] =>
  [...Map.groupBy(refusals, ({ code, market, quota }) => [quota ?? "", market, code].join("\n")).values()]
    .toSorted((a, b) => b.length - a.length)
    .map((group) => `${what(group)} (${group[0]?.code})${lately(group, nowMs)}; ${again(group, nowMs)}`);

function what(group: readonly Refusal[]): string {
  const [first] = group;
  if (first?.quota !== undefined) return `the account's quota: ${first.quota}`;
  const types = unique(group.map(({ instanceType }) => instanceType));
  const named =
    types.length > maxNamed
      ? `${count(types.length, "type")} of ${unique(types.map((type) => type.split(".")[0])).join(", ")}`
      : types.join(", ");
  const zones = unique(group.map(({ zone }) => zone));
  // The count shows that not every type was refused in every zone.
  const some = group.length < types.length * zones.length ? `, ${group.length} of ${types.length * zones.length} pairs` : "";
  return `${named} ${first?.market} in ${zones.join(", ")}${some}`;
}

function lately(group: readonly Refusal[], nowMs: number): string {
  const times = group.flatMap(({ at }) => (at === undefined ? [] : [Date.parse(at)]));
  return times.length === 0 ? "" : `, last ${duration(nowMs - Math.max(...times))} ago`;
}

function again(group: readonly Refusal[], nowMs: number): string {
  const times = group.map(({ until }) => Date.parse(until));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const inWords = (ms: number): string => `in ${duration(ms - nowMs)}`;
  const span = last - first < 1_000 ? inWords(first) : `${inWords(first)} to ${duration(last - nowMs)}`;
  return `next try ${span} (${moment(first)})`;
}

const unique = (all: readonly (string | undefined)[]): string[] => [...new Set(all.filter((each) => each !== undefined))].sort();
