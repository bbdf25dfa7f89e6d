import type { StackChange } from "../../events/stack-change.ts";
import { type EndFleetDeps, endFleet } from "./end-fleet.ts";

/** The response to CloudFormation. */
export type StackOutcome = { readonly status: "SUCCESS" | "FAILED"; readonly physicalId: string; readonly reason?: string | undefined };

/** The most instances that a response names, because it has room for 4 KB. */
const maxNamed = 40;

/**
 * Handles a change of the stack's resource that stands for the deployment's instances. Nothing happens when it is created or updated; when
 * it is deleted, all instances are ended. If some could not be ended, the reason names them and says what to do.
 */
export async function changeStack(deps: EndFleetDeps, change: StackChange, { untilMs }: { untilMs: number }): Promise<StackOutcome> {
  const name = change.ResourceProperties.Name;
  const physicalId = change.PhysicalResourceId ?? `instances-of-${name}`;
  if (change.RequestType !== "Delete") return { status: "SUCCESS", physicalId };
  const end = await endFleet(deps, { untilMs });
  return end.kind === "gone"
    ? { status: "SUCCESS", physicalId }
    : { status: "FAILED", physicalId, reason: whyLeft({ name, left: end.instances, resource: change.LogicalResourceId }) };
}

function whyLeft({ name, left, resource }: { name: string; left: readonly string[] | undefined; resource: string }): string {
  const named = left && left.length > 0 ? left.slice(0, maxNamed).join(", ") : undefined;
  const more = left && left.length > maxNamed ? ` and ${left.length - maxNamed} more` : "";
  const what =
    named === undefined ? `EC2 did not say which instances of ${name} live` : `instances of ${name} have not ended: ${named}${more}`;
  return `${what}. Delete the stack again to retry, or with --retain-resources ${resource} to keep the instances: they have the tag fleetwright:name=${name}, and nothing will end them.`;
}
