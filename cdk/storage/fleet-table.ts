import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";

/** What lists of jobs show, and no more, because every change of a job is written to the index, too. */
const listed = [
  "team",
  "job",
  "pool",
  "state",
  "attempt",
  "failures",
  "losses",
  "submittedAtMs",
  "startedAtMs",
  "endedAtMs",
  "endCode",
  "node",
  "gang",
  "exitCode",
  "reason",
];

/** The only table. Its index serves lists for people; decisions must not read it, because it is eventually consistent. */
export class FleetTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: { readonly deletionProtection: boolean }) {
    super(scope, id);
    // Its id names the form of the items. A release whose items have another form gets another id, so that CloudFormation makes a new table.
    this.table = new Table(this, "Items1", {
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: "ttl",
      deletionProtection: props.deletionProtection,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: "byTeam",
      partitionKey: { name: "teamDay", type: AttributeType.STRING },
      sortKey: { name: "submitted", type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: listed,
    });
  }
}
