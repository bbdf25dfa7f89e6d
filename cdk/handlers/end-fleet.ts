import { CustomResource } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { Construct, type IConstruct, type IDependable } from "constructs";
import { acknowledgeResources } from "../access/acknowledge.ts";
import type { FunctionBundles } from "../bundles/function-bundles.ts";
import type { Configuration } from "../configuration/configuration.ts";
import { anyInstance, endOurs } from "../nodes/capacity-policy.ts";
import { FleetFunction } from "./fleet-function.ts";

export type EndFleetProps = {
  readonly configuration: Configuration;
  readonly bundles: FunctionBundles;
  /** What instances depend on; must outlive them. */
  readonly under: readonly IDependable[];
};

/**
 * Terminates all instances when the stack is deleted, by a custom resource whose deletion waits until they have ended. It is
 * deleted after everything that receives messages and ticks, so that nothing new is launched, and before what instances depend on.
 */
export class EndFleet extends Construct {
  readonly #resource: CustomResource;

  constructor(scope: Construct, id: string, { configuration, bundles, under }: EndFleetProps) {
    super(scope, id);
    const end = new FleetFunction(this, "Handler", {
      configuration,
      bundles,
      name: "end-fleet",
      environment: {},
      may: [endOurs(this, configuration.name), new PolicyStatement({ sid: "Look", actions: ["ec2:DescribeInstances"], resources: ["*"] })],
      memory: 256,
      // CloudFormation says that the deletion failed, and an alarm may be deleted before it could.
      hasAlarm: false,
    });
    acknowledgeResources(end.role, "Only instances with this fleet's tag may be terminated; DescribeInstances does not support resources", [
      "*",
      anyInstance(this),
    ]);
    this.#resource = new CustomResource(this, "Instances", {
      serviceToken: end.function.functionArn,
      resourceType: "Custom::FleetwrightInstances",
      properties: { Name: configuration.name },
    });
    this.#resource.node.addDependency(...under);
  }

  /** Makes everything below `launchers` that brings in work be deleted first. */
  after(launchers: IConstruct): void {
    for (const part of launchers.node.findAll())
      if (part instanceof CfnEventSourceMapping || part instanceof CfnSchedule) part.node.addDependency(this.#resource);
  }
}
