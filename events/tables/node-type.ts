import * as z from "zod";
import type { NodeCost, PerResource } from "../../lib/model/planning/capacity.ts";
import { amount, name } from "./cells.ts";

/** The columns of a table of node types for `fleet capacity`. */
export const NodeTypeColumns = z.strictObject({
  name: name().describe("the type's name"),
  compute: amount().default(0).describe("what one node offers, in units of your own, such as vCPUs or GPUs"),
  storage: amount().default(0).describe("what one node offers, such as GiB"),
  bandwidth: amount().default(0).describe("what one node offers, such as Gbit/s"),
  hardwareUsd: amount()
    .optional()
    .describe("what one node costs, in dollars per hour, or per any other period that is the same in all rows"),
  softwareUsd: amount().optional().describe("what the licences of one node cost, per the same period"),
  networkUsd: amount().optional().describe("what the network of one node costs, per the same period"),
  lossUsd: amount().default(0).describe("the expected cost of one node's failures and interruptions, per the same period"),
  most: amount({ whole: true }).optional().describe("how many can be bought (default: any number)"),
});

/** A node type as a table has it. `cost` is undefined if the row has no price; then prices per unit are used instead. */
export const NodeTypeRow = NodeTypeColumns.transform(({ name, hardwareUsd, softwareUsd, networkUsd, lossUsd, most, ...offers }) => ({
  name,
  offers: offers satisfies PerResource,
  cost: costOf([hardwareUsd, softwareUsd, networkUsd]),
  loss: lossUsd,
  most,
}));
export type NodeTypeRow = z.infer<typeof NodeTypeRow>;

function costOf(prices: readonly [number | undefined, number | undefined, number | undefined]): NodeCost | undefined {
  const [hardware = 0, software = 0, network = 0] = prices;
  return prices.every((price) => price === undefined) ? undefined : { hardware, software, network };
}
