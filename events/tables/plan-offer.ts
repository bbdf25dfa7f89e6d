import * as z from "zod";
import { amount, list, name } from "./cells.ts";

const Market = z.enum(["spot", "on-demand", "reserved", "block"], { error: "must be spot, on-demand, reserved or block" });

/** The hours of a month, as AWS counts them. */
const hoursOfMonth = 730;

/** The columns of a table of offers for `fleet plan`. */
export const PlanOfferColumns = z.strictObject({
  instanceType: name().describe("the instance type"),
  zone: name().default("any").describe("its availability zone (default: any, one place for all)"),
  market: Market.default("on-demand").describe("spot, on-demand, reserved or block (default: on-demand)"),
  usdPerHour: amount().describe("what one instance costs"),
  vcpus: amount().describe("vCPUs of one instance"),
  memoryGiB: amount().describe("memory of one instance"),
  gpus: amount({ whole: true, most: 64 }).default(0).describe("GPUs of one instance (default: 0)"),
  gpuModel: name().optional().describe("the model of its GPUs, such as T4"),
  gpuMemoryGiB: amount().default(0).describe("memory of each GPU, or of each slice"),
  slices: amount({ least: 1, most: 7, whole: true })
    .default(1)
    .describe("slices of each GPU, if GPUs are partitioned beforehand (MIG): a job gets a slice instead of a GPU (default: 1, whole)"),
  interruptionsPerMonth: amount()
    .default(0)
    .describe("how often one instance is interrupted: 0.05 if 5 % of them are interrupted per month (default: 0)"),
  most: amount({ whole: true }).optional().describe("how many can be bought (default: any number)"),
});

export const PlanOfferRow = PlanOfferColumns.transform(({ interruptionsPerMonth, ...offer }) => ({
  ...offer,
  interruptionsPerHour: interruptionsPerMonth / hoursOfMonth,
}));
/** A row of offers for `fleet plan`: something that can be bought. */
export type PlanOffer = z.infer<typeof PlanOfferRow>;

/** Returns how much of each GPU is free: `2` is two whole ones, `1|0.5` is one whole and one half. Undefined if the text is neither. */
const freeGpus = (text: string): readonly number[] | undefined => {
  const parts = text.split("|").map(Number);
  const [only = Number.NaN] = parts;
  if (parts.length === 1 && Number.isInteger(only) && only >= 0 && only <= 64) return Array<number>(only).fill(1);
  return parts.every((part) => part >= 0 && part <= 1) ? parts : undefined;
};

/** The columns of a table of nodes for `fleet plan`. */
export const PlanNodeColumns = z.strictObject({
  id: name().describe("the node's name"),
  freeVcpus: amount().describe("its free vCPUs"),
  freeMemoryGiB: amount().describe("its free memory"),
  freeGpus: z
    .union([z.string(), z.number().transform(String)], { error: "must be a number of GPUs" })
    .default("0")
    .describe("its free GPUs: 2, or how much of each is free, such as 1|0.5|0 (default: 0)"),
  gpuModel: name().optional().describe("the model of its GPUs, such as T4"),
  gpuMemoryGiB: amount().default(0).describe("memory of each GPU"),
  instanceType: name().default("node").describe("its type; a gang's nodes are of one type (default: node)"),
  zone: name().default("any").describe("its zone; a gang's nodes are in one zone (default: any)"),
  market: Market.default("on-demand").describe("spot, on-demand, reserved or block (default: on-demand)"),
  datasets: list().default([]).describe("the datasets that it holds, such as images|words"),
  usdPerHour: amount()
    .optional()
    .describe("what it costs; if it is given, and the jobs say which of them run there, the node may be emptied where that saves money"),
});

export const PlanNodeRow = PlanNodeColumns.transform(({ freeGpus: free, ...node }, context) => {
  const gpusFree = freeGpus(free);
  if (gpusFree === undefined)
    context.addIssue({
      code: "custom",
      path: ["freeGpus"],
      message: `must be a whole number, or shares from 0 to 1, not ${JSON.stringify(free)}`,
    });
  return { ...node, gpusFree: gpusFree ?? [] };
});
/** A row of nodes for `fleet plan`: a node that already exists. */
export type PlanNode = z.infer<typeof PlanNodeRow>;
