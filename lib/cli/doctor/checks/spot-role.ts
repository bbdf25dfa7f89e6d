import type { Market } from "../../../model/offer.ts";
import { aWarning, type Finding } from "../findings/finding.ts";

/** The role that EC2 uses for spot requests of the account. */
export const spotRole = "AWSServiceRoleForEC2Spot";

/** Checks that the role exists if a pool uses spot. `place` may create it, so its absence stops nothing by itself. */
export function spotRoleFindings(pools: readonly { readonly markets: readonly Market[] }[], exists: boolean): readonly Finding[] {
  if (exists || !pools.some(({ markets }) => markets.includes("spot"))) return [];
  return [
    aWarning(
      "spot-role.missing",
      `the account has no role ${spotRole}; the first spot launch creates it, and may fail once meanwhile`,
      "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
    ),
  ];
}
