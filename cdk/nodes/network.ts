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
  /** In how many availability zones nodes may run. */
  readonly zones: number;
  /** Where refused traffic is noted. */
  readonly logs: Bucket;
};

/** Where nodes live: public subnets that nothing from outside can reach, with HTTPS as the only way out. Costs nothing when idle. */
export class Network extends Construct {
  readonly subnets: readonly ISubnet[];
  /** The same, as functions are told. */
  readonly places: readonly { readonly zone: string; readonly subnet: string }[];
  readonly nodes: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, "Vpc", {
      maxAzs: props.zones,
      natGateways: 0,
      subnetConfiguration: [{ name: "node", subnetType: SubnetType.PUBLIC, cidrMask: 20 }],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 }, DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
      // The default group is used by nothing; locking it needs a custom resource.
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
    // For gangs alone: their members meet at the first one's address and then talk on ports that NCCL or Gloo choose as they like.
    // The group is all nodes': what a job opens, any other node of the fleet can reach, another team's too.
    this.nodes.addIngressRule(this.nodes, Port.allTcp(), "Members of a gang");
    this.nodes.addEgressRule(this.nodes, Port.allTcp(), "Members of a gang");
  }
}
