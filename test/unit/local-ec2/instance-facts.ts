import type { InstanceFacts } from "../../../lib/local/ec2/instances/instance.ts";

/** A spot instance of the local EC2 that no launch template describes. */
export const instanceFacts: InstanceFacts = {
  id: "i-1",
  region: "us-east-1",
  instanceType: "g5.xlarge",
  zone: "us-east-1a",
  market: "spot",
  imageId: "ami-1",
  privateIp: "10.0.0.1",
  accountId: "123",
  tags: {},
  template: undefined,
};
