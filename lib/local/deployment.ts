import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { StoredDeployment } from "../../events/deployment.ts";
import type { Deployment } from "../model/deployment.ts";
import { Fault } from "../model/fault.ts";
import type { Blueprint } from "./provision/world.ts";

/** What the stack that was just made says of itself. */
export async function readDeployment(ssm: SSMClient, blueprint: Blueprint): Promise<Deployment> {
  const parameter = [...blueprint.parameters.keys()].find((name) => /^\/fleetwright\/[^/]+\/deployment$/.test(name));
  if (parameter === undefined) throw new Fault("template", "The stack has no parameter /fleetwright/NAME/deployment");
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: parameter }));
  return StoredDeployment.parse(JSON.parse(Parameter?.Value ?? "null"));
}
