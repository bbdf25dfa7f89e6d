import { increaseCommand, vpcQuota } from "../findings/account-quotas.ts";
import { anError, type Finding } from "../findings/finding.ts";

/** Checks, before the first deployment, that the region has room for one more VPC. */
export function vpcFindings({ count, quota, region }: { count: number; quota: number; region: string }): readonly Finding[] {
  if (count < quota) return [];
  return [
    anError(
      "network.vpcs",
      `the region has ${count} VPCs of at most ${quota}, and the stack creates one`,
      `${increaseCommand(vpcQuota, { value: count + 5, region })}, or delete a VPC that nothing uses`,
    ),
  ];
}
