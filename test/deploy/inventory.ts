import { join } from "node:path";
import * as z from "zod";
import { root, run } from "./programs.ts";

const Inventory = z.object({
  /** By kind, as CloudFormation calls it, the names or ids of all that the account has. */
  resources: z.record(z.string(), z.array(z.string())),
  stacks: z.record(
    z.string(),
    z.object({
      status: z.string(),
      resources: z.array(z.object({ logicalId: z.string(), type: z.string(), physicalId: z.string(), status: z.string() })),
    }),
  ),
});
export type AccountInventory = z.output<typeof Inventory>;

/** Asks each service of an account what it has. `python` is the emulators' Python, which has the SDK. */
export async function inventory(python: string, env: Readonly<Record<string, string>>): Promise<AccountInventory> {
  const args = [join(root, "test", "deploy", "inventory.py")];
  return Inventory.parse(JSON.parse(await run({ command: python, args, env, timeoutMs: 60_000 })));
}

/** Returns `KIND NAME` of all resources, in order. */
export const listed = ({ resources }: AccountInventory): readonly string[] =>
  Object.entries(resources)
    .flatMap(([kind, names]) => names.map((name) => `${kind} ${name}`))
    .toSorted();

/** Returns what `later` has and `earlier` does not. */
export function added(earlier: AccountInventory, later: AccountInventory): readonly string[] {
  const known = new Set(listed(earlier));
  return listed(later).filter((each) => !known.has(each));
}
