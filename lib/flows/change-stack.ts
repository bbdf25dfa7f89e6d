import type { StackChange } from "../../events/stack-change.ts";
import { type EndFleetDeps, endFleet } from "./end-fleet.ts";

/** What CloudFormation is told. */
export type StackOutcome = { readonly status: "SUCCESS" | "FAILED"; readonly physicalId: string; readonly reason?: string | undefined };

/** So many are named: an answer has room for 4 KB. */
const mostNamed = 40;

/**
 * The instances of a deployment as a resource of its stack: nothing is done when it is made or changed, and its end is
 * theirs. What could not be ended is named, with what to do about it.
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
  const named = left && left.length > 0 ? left.slice(0, mostNamed).join(", ") : undefined;
  const more = left && left.length > mostNamed ? ` and ${left.length - mostNamed} more` : "";
  const what =
    named === undefined ? `EC2 did not say which instances of ${name} live` : `instances of ${name} have not ended: ${named}${more}`;
  return `${what}. Delete the stack again to go on with it, or with --retain-resources ${resource} to leave them: they bear the tag fleetwright:name=${name}, and nobody will end them.`;
}
