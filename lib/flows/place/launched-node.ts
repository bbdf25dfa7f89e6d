import { FleetError } from "../../model/fleet-error.ts";
import type { Launch, LaunchedInstance } from "../../model/launch.ts";
import type { Node } from "../../model/node.ts";

/** Returns the node for an instance of this launch. Throws a FleetError if the launch did not ask for such an instance. */
export function nodeOf(instance: LaunchedInstance, launch: Launch, atMs: number): Node {
  const type = launch.types.find((each) => each.name === instance.instanceType);
  const offer = launch.offers.find((each) => each.instanceType === instance.instanceType && each.zone === instance.zone);
  if (!type || !offer) {
    throw new FleetError(
      "unasked-instance",
      `EC2 launched ${instance.instanceType} in ${instance.zone}, which launch ${launch.id} did not ask for`,
    );
  }
  return {
    id: instance.id,
    pool: launch.pool,
    launch: launch.id,
    team: launch.team,
    offer,
    type,
    state: "launching",
    launchedAtMs: atMs,
    lastBusyMs: atMs,
    stateSinceMs: atMs,
    assignments: [],
    ...(launch.replaces === undefined ? {} : { replaces: launch.replaces }),
  };
}
