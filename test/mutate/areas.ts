/** Parts of the source whose tests are measured separately, each with its folders. */
export const areas = {
  decide: ["lib/decide"],
  optimizer: ["lib/optimizer"],
  flows: ["lib/flows"],
  table: ["lib/aws/table"],
  worker: ["lib/worker"],
  "api-cli": ["lib/api", "lib/cli"],
  cdk: ["cdk"],
  local: ["lib/local"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Area = keyof typeof areas;

export const isArea = (name: string | undefined): name is Area => name !== undefined && name in areas;
