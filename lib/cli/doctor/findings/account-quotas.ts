/** A quota of an account in a region, by its codes in AWS Service Quotas. Those of vCPUs are in lib/decide/capacity/quotas.ts. */
export type QuotaRef = { readonly service: string; readonly code: string };

/** VPCs per region: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
export const vpcQuota: QuotaRef = { service: "vpc", code: "L-F678F1CE" };
/** Concurrent executions of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const concurrencyQuota: QuotaRef = { service: "lambda", code: "L-B99A9384" };

/** Returns the command that asks AWS for a larger quota. */
export const increaseCommand = ({ service, code }: QuotaRef, to: { readonly value: number; readonly region: string }): string =>
  `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${to.value} --region ${to.region}`;
