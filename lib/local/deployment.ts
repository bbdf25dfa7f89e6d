import { StoredDeployment } from "../../events/deployment.ts";
import type { Deployment } from "../model/deployment.ts";
import { Fault } from "../model/fault.ts";
import type { Blueprint } from "./provision/world.ts";

/** What the stack says of itself, in the parameter by which the `fleet` command finds it. */
export function deploymentOf(blueprint: Blueprint): Deployment {
  const [, text] = [...blueprint.parameters].find(([name]) => /^\/fleetwright\/[^/]+\/deployment$/.test(name)) ?? [];
  if (text === undefined) throw new Fault("template", "The stack has no parameter /fleetwright/NAME/deployment");
  return StoredDeployment.parse(JSON.parse(text));
}
