import type { Market } from "../../model/offer.ts";

/** Instance families that share one quota of vCPUs, by the first letters of their types. On-demand and spot have separate quotas. */
const classes: readonly { readonly name: string; readonly spotName?: string; readonly families: RegExp }[] = [
  { name: "DL", families: /^dl/ },
  { name: "Trn", families: /^trn/ },
  { name: "Inf", families: /^inf/ },
  { name: "HPC", families: /^hpc/ },
  { name: "High Memory", families: /^u/ },
  { name: "G and VT", families: /^(g|vt)/ },
  { name: "P", spotName: "P4, P3 and P2", families: /^p[234]/ },
  { name: "P", spotName: "P5", families: /^p5/ },
  { name: "P", families: /^p/ },
  { name: "F", families: /^f/ },
  { name: "X", families: /^x/ },
  { name: "Standard (A, C, D, H, I, M, R, T, Z)", families: /^[acdhimrtz]/ },
];

/** Returns the quota that counts instances of this type, by its name in AWS Service Quotas. */
export function quotaOf(instanceType: string, market: Market): string {
  const found = classes.find(({ families }) => families.test(instanceType));
  const family = found ? (market === "spot" ? (found.spotName ?? found.name) : found.name) : `${instanceType.split(".")[0]}`;
  return market === "spot" ? `All ${family} Spot Instance Requests` : `Running On-Demand ${family} instances`;
}
