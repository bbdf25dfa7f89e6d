import type { Market } from "../../model/offer.ts";

/**
 * Instance families that share one quota of vCPUs, by the first letters of their types. On-demand and spot have separate quotas. `codes` are
 * those of AWS Service Quotas; an omitted one is not in AWS's list: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
 */
const classes: readonly {
  readonly name: string;
  readonly spotName?: string;
  readonly families: RegExp;
  readonly codes: Partial<Readonly<Record<Market, string>>>;
}[] = [
  { name: "DL", families: /^dl/, codes: { "on-demand": "L-6E869C2A", spot: "L-85EED4F7" } },
  { name: "Trn", families: /^trn/, codes: { "on-demand": "L-2C3B7624", spot: "L-6B0D517C" } },
  { name: "Inf", families: /^inf/, codes: { "on-demand": "L-1945791B", spot: "L-B5D1601B" } },
  { name: "HPC", families: /^hpc/, codes: { "on-demand": "L-F7808C92" } },
  { name: "High Memory", families: /^u/, codes: { "on-demand": "L-43DA4232" } },
  { name: "G and VT", families: /^(g|vt)/, codes: { "on-demand": "L-DB2E81BA", spot: "L-3819A6DF" } },
  { name: "P", spotName: "P4, P3 and P2", families: /^p[234]/, codes: { "on-demand": "L-417A185B", spot: "L-7212CCBC" } },
  { name: "P", spotName: "P5", families: /^p5/, codes: { "on-demand": "L-417A185B", spot: "L-C4BD4855" } },
  { name: "P", families: /^p/, codes: { "on-demand": "L-417A185B" } },
  { name: "F", families: /^f/, codes: { "on-demand": "L-74FC7D96", spot: "L-88CF9481" } },
  { name: "X", families: /^x/, codes: { "on-demand": "L-7295265B", spot: "L-E3A00192" } },
  {
    name: "Standard (A, C, D, H, I, M, R, T, Z)",
    families: /^[acdhimrtz]/,
    codes: { "on-demand": "L-1216C47A", spot: "L-34B43A08" },
  },
];

const classOf = (instanceType: string) => classes.find(({ families }) => families.test(instanceType));

/** Returns the quota that counts instances of this type, by its name in AWS Service Quotas. */
export function quotaOf(instanceType: string, market: Market): string {
  const found = classOf(instanceType);
  const family = found ? (market === "spot" ? (found.spotName ?? found.name) : found.name) : `${instanceType.split(".")[0]}`;
  return market === "spot" ? `All ${family} Spot Instance Requests` : `Running On-Demand ${family} instances`;
}

/** Returns the code of that quota in AWS Service Quotas, or undefined if AWS's list of quotas does not have it. */
export const quotaCodeOf = (instanceType: string, market: Market): string | undefined => classOf(instanceType)?.codes[market];
