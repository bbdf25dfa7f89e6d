import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { region } from "../provision/world.ts";
import type { IssuedCredentials } from "../requests/identities.ts";

const service = "spot.amazonaws.com";
const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
};

/**
 * Creates the role that EC2 uses for spot requests, because spot instances can be launched here from the start. MiniStack's
 * CreateServiceLinkedRole gives it another name than AWS does.
 */
export async function createSpotRole(endpoint: string, credentials: IssuedCredentials): Promise<void> {
  const iam = new IAMClient({ endpoint, region, credentials, requestHandler: { requestTimeout: 30_000, connectionTimeout: 2_000 } });
  try {
    await iam.send(
      new CreateRoleCommand({
        RoleName: "AWSServiceRoleForEC2Spot",
        Path: `/aws-service-role/${service}/`,
        AssumeRolePolicyDocument: JSON.stringify(trust),
      }),
    );
  } finally {
    iam.destroy();
  }
}
