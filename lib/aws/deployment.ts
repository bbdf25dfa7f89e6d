import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { deploymentParameter, StoredDeployment } from "../../events/deployment.ts";
import type { Deployment } from "../model/deployment.ts";
import { FleetError } from "../model/fleet-error.ts";
import { awsErrorKind } from "./errors.ts";

/** Returns a deployment by its name in the client's account and region. Throws a FleetError that says what to do if there is none. */
export async function findDeployment(ssm: Pick<SSMClient, "send">, name: string): Promise<Deployment> {
  const text = await parameter(ssm, name);
  try {
    return StoredDeployment.parse(JSON.parse(text));
  } catch (cause) {
    throw new FleetError(
      "deployment",
      `The parameter ${deploymentParameter(name)} is from another release; deploy again with \`npx cdk deploy\``,
      {
        cause,
      },
    );
  }
}

async function parameter(ssm: Pick<SSMClient, "send">, name: string): Promise<string> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: deploymentParameter(name) }));
    if (Parameter?.Value) return Parameter.Value;
  } catch (error) {
    if (awsErrorKind(error) !== "missing") throw error;
  }
  throw new FleetError(
    "no-deployment",
    `There is no Fleetwright named ${name} in this account and region; deploy it with \`npx cdk deploy\``,
  );
}
