import * as z from "zod";
import { kind } from "./kind.ts";

/**
 * All instances of the deployment, as a resource whose end is theirs. CloudFormation calls its function when it is made,
 * which does nothing then, and when the stack is deleted: here instances end with the local cloud, which is not deleted.
 */
export const fleetInstances = kind({
  type: "Custom::FleetwrightInstances",
  properties: z.strictObject({ ServiceToken: z.string().startsWith("arn:aws:lambda:"), Name: z.string().min(1) }),
  create: async ({ Name }) => ({ ref: `instances-of-${Name}`, attributes: {} }),
});
