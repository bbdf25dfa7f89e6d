import * as z from "zod";
import { amount, list, name } from "./cells.ts";

const Market = z.enum(["spot", "on-demand", "reserved", "block"], { error: "spot, on-demand, reserved or block is wanted" });

/** What a month has, as AWS counts it. */
const hoursOfMonth = 730;

/** The columns of a table of offers for `fleet plan`. */
export const PlanOfferColumns = z.strictObject({
  instanceType: name().describe("what is bought"),
  zone: name().default("any").describe("where (default: any, one place for all)"),
  market: Market.default("on-demand").describe("spot, on-demand, reserved or block (default: on-demand)"),
  usdPerHour: amount().describe("what one costs"),
  vcpus: amount().describe("what one has"),
  memoryGiB: amount().describe("what one has"),
  gpus: amount({ whole: true, most: 64 }).default(0).describe("what one has (default: 0)"),
  gpuModel: name().optional().describe("such as T4"),
  gpuMemoryGiB: amount().default(0).describe("of each GPU, or of each slice"),
  slices: amount({ least: 1, most: 7, whole: true })
    .default(1)
    .describe("of each GPU, where they are partitioned beforehand (MIG): a job gets a slice for a GPU (default: 1, whole)"),
  interruptionsPerMonth: amount().default(0).describe("how often one is taken back: 0.05 where 5 % of them are in a month (default: 0)"),
  most: amount({ whole: true }).optional().describe("how many can be had (default: any number)"),
});

export const PlanOfferRow = PlanOfferColumns.transform(({ interruptionsPerMonth, ...offer }) => ({
  ...offer,
  interruptionsPerHour: interruptionsPerMonth / hoursOfMonth,
}));
/** What `fleet plan` is told of something that can be bought. */
export type PlanOffer = z.infer<typeof PlanOfferRow>;

/** What of the GPUs is free: `2` for two whole ones, `1|0.5` for each by itself. */
const freeGpus = (text: string): readonly number[] | undefined => {
  const parts = text.split("|").map(Number);
  const [only = Number.NaN] = parts;
  if (parts.length === 1 && Number.isInteger(only) && only >= 0 && only <= 64) return Array<number>(only).fill(1);
  return parts.every((part) => part >= 0 && part <= 1) ? parts : undefined;
};

/** The columns of a table of nodes for `fleet plan`. */
export const PlanNodeColumns = z.strictObject({
  id: name().describe("the node's name"),
  freeVcpus: amount().describe("what of it is free"),
  freeMemoryGiB: amount().describe("what of it is free"),
  freeGpus: z
    .union([z.string(), z.number().transform(String)], { error: "a number of GPUs is wanted" })
    .default("0")
    .describe("free GPUs: 2, or what is free of each, such as 1|0.5|0 (default: 0)"),
  gpuModel: name().optional().describe("such as T4"),
  gpuMemoryGiB: amount().default(0).describe("of each GPU"),
  instanceType: name().default("node").describe("a gang's nodes are of one type (default: node)"),
  zone: name().default("any").describe("a gang's nodes are in one zone (default: any)"),
  market: Market.default("on-demand").describe("spot, on-demand, reserved or block (default: on-demand)"),
  datasets: list().default([]).describe("what it holds of datasets, such as images|words"),
  usdPerHour: amount()
    .optional()
    .describe("what it costs; with it, and when the jobs say what of them runs there, it may be emptied where that pays"),
});

export const PlanNodeRow = PlanNodeColumns.transform(({ freeGpus: free, ...node }, context) => {
  const gpusFree = freeGpus(free);
  if (gpusFree === undefined)
    context.addIssue({
      code: "custom",
      path: ["freeGpus"],
      message: `a whole number, or shares from 0 to 1, are wanted, not ${JSON.stringify(free)}`,
    });
  return { ...node, gpusFree: gpusFree ?? [] };
});
/** What `fleet plan` is told of a node that is there. */
export type PlanNode = z.infer<typeof PlanNodeRow>;
