import type {
  CreateFleetCommandOutput,
  DescribeInstanceStatusCommandOutput,
  DescribeInstancesCommandOutput,
  EC2Client,
  TerminateInstancesCommandOutput,
} from "@aws-sdk/client-ec2";
import { ec2Client } from "../../../lib/aws/clients/ec2.ts";

type Responses = {
  readonly CreateFleetCommand?: () => Omit<CreateFleetCommandOutput, "$metadata">;
  readonly DescribeInstanceStatusCommand?: () => Omit<DescribeInstanceStatusCommandOutput, "$metadata">;
  readonly DescribeInstancesCommand?: () => Omit<DescribeInstancesCommandOutput, "$metadata">;
  readonly TerminateInstancesCommand?: () => Omit<TerminateInstancesCommandOutput, "$metadata">;
};

export type Ec2Call = { readonly command: string; readonly input: object };

/** Returns an EC2 client that makes no calls. Each command returns one of `responses` and is recorded. */
export function fakeEc2(responses: Responses): { ec2: EC2Client; calls: Ec2Call[] } {
  const calls: Ec2Call[] = [];
  const ec2 = ec2Client({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  ec2.middlewareStack.add(
    (_next, { commandName = "" }) =>
      async ({ input }) => {
        calls.push({ command: commandName, input });
        const respond = Object.entries(responses).find(([name]) => name === commandName)?.[1];
        if (respond === undefined) throw new Error(`${commandName} was not expected`);
        return { response: {}, output: { $metadata: {}, ...respond() } };
      },
    { step: "initialize" },
  );
  return { ec2, calls };
}

/** Throws an error as the SDK does. Without a status, there was no response. */
export function failing(name: string, status?: number, message = `${name}.`): never {
  throw Object.assign(new Error(message), { name, $metadata: status === undefined ? {} : { httpStatusCode: status } });
}
