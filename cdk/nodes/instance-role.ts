import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";

/** What an instance may do by itself: call `node`, through its URL, and nothing else. */
export class InstanceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
      description: "A Fleetwright node: may call the node function",
    });
  }

  /** `node` has to know this role first, to tell whose calls it takes. */
  mayCall(node: IFunction): void {
    const resources = [node.functionArn];
    // Since October 2025 a call through a function URL needs both.
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunctionUrl"],
        resources,
        conditions: { StringEquals: { "lambda:FunctionUrlAuthType": "AWS_IAM" } },
      }),
    );
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ["lambda:InvokeFunction"],
        resources,
        conditions: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
      }),
    );
  }
}
