import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { Bucket, IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

export type NetworkProps = {
  /** The number of availability zones in which nodes may run. */
  readonly zones: number;
  /** The bucket for the log of refused traffic. */
  readonly logs: Bucket;
};

/** The nodes' network: public subnets that cannot be reached from outside, with HTTPS as the only way out. Costs nothing while idle. */
export class Network extends Construct {
  readonly subnets: readonly ISubnet[];
  /** The same subnets with their zones, in the form that functions expect. */
  readonly places: readonly { readonly zone: string; readonly subnet: string }[];
  readonly nodes: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, "Vpc", {
      maxAzs: props.zones,
      natGateways: 0,
      subnetConfiguration: [{ name: "node", subnetType: SubnetType.PUBLIC, cidrMask: 20 }],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
      // Nothing uses the default group, and restricting it would need a custom resource.
      restrictDefaultSecurityGroup: false,
      flowLogs: {
        Refused: { destination: FlowLogDestination.toS3(props.logs as IBucket, "network"), trafficType: FlowLogTrafficType.REJECT },
      },
    });
    this.subnets = vpc.publicSubnets;
    this.places = vpc.publicSubnets.map((subnet) => ({ zone: subnet.availabilityZone, subnet: subnet.subnetId }));
    this.nodes = new SecurityGroup(this, "Nodes", {
      vpc: vpc as IVpc,
      description: "Fleetwright nodes: nothing in but from each other, HTTPS out",
      allowAllOutbound: false,
    });
    this.nodes.addEgressRule(Peer.anyIpv4(), Port.HTTPS, "HTTPS");
    // Only gangs need this: their members meet at the first member's address and then use ports that NCCL or Gloo choose freely.
    // All nodes share the group, so every node of the fleet, also of another team, can reach the ports that a job opens.
    this.nodes.addIngressRule(this.nodes, Port.allTcp(), "Members of a gang");
    this.nodes.addEgressRule(this.nodes, Port.allTcp(), "Members of a gang");
  }
}
