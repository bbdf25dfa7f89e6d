/**
 * Deploys the stack with the CDK's own command line into an account that MiniStack stands in for. Each test is a step that needs the one
 * before. docs/first-deploy.md says what this shows and what it does not.
 */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { DescribeKeyCommand, GetKeyRotationStatusCommand } from "@aws-sdk/client-kms";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { JobView } from "../../lib/api/views/jobs.ts";
import { functionUrlSigner } from "../../lib/aws/access/request-signer.ts";
import { documentClient } from "../../lib/aws/clients/document-client.ts";
import { ec2Client } from "../../lib/aws/clients/ec2.ts";
import { kmsClient } from "../../lib/aws/clients/kms.ts";
import type { ClientSettings } from "../../lib/aws/clients/settings.ts";
import { sqsClient } from "../../lib/aws/clients/sqs.ts";
import { ssmClient } from "../../lib/aws/clients/ssm.ts";
import { stsClient } from "../../lib/aws/clients/sts.ts";
import { findDeployment } from "../../lib/aws/deployment.ts";
import { createJobReader } from "../../lib/aws/table/jobs/job-reader.ts";
import { createCatalogueStore } from "../../lib/aws/table/pools/catalogue-store.ts";
import { apiClient } from "../../lib/cli/session/api-client.ts";
import { type Emulators, startEmulators } from "../../lib/local/emulators/emulators.ts";
import { emulatorPython, pythonWith } from "../../lib/local/emulators/python.ts";
import type { Deployment } from "../../lib/model/deployment.ts";
import { aCatalogue, anOffer } from "../fakes/builders.ts";
import { type AccountInventory, added, inventory, listed } from "./inventory.ts";
import { accountEnvironment, cdk, root, run } from "./programs.ts";

const installed = join(root, ".fleetwright");
const second = join(root, "test", "deploy", "second.config.ts");
const quiet = { folder: installed, log: () => undefined };
const job = { team: "research", job: "first" };

const Template = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

let emulators: Emulators;
let env: Readonly<Record<string, string>>;
let settings: ClientSettings;
let python: string;
/** Returns the path of an assembly, or of a log. */
let below: (name: string) => string;
let bootstrapped: AccountInventory;
let deployed: AccountInventory;
let ofSecond: readonly string[];
let deployment: Deployment;
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail" || below === undefined) return;
  const log = await readFile(below("ministack.log"), "utf8").catch(() => "MiniStack wrote no log");
  process.stderr.write(`The end of the log of MiniStack, which has the logs of the deployed functions:\n${log.slice(-8_000)}\n`);
});
afterAll(async () => {
  await emulators?.stop();
});

test("the account starts empty", async () => {
  const home = await mkdtemp(join(tmpdir(), "deploy-"));
  below = (name) => join(home, name);
  python = await emulatorPython(quiet);
  emulators = await startEmulators({ ...quiet, logFolder: home, account: true });
  env = accountEnvironment({ url: emulators.ministackUrl, home });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  settings = { endpoint: emulators.ministackUrl, region: "us-east-1", credentials, requestMs: 20_000 };
  expect((await inventory(python, env)).stacks).toEqual({});
});

test("`cdk bootstrap` prepares the account", async () => {
  await cdk(env, "bootstrap", "aws://000000000000/us-east-1", "--app", "");
  bootstrapped = await inventory(python, env);
  expect(bootstrapped.stacks["CDKToolkit"]?.status).toBe("CREATE_COMPLETE");
});

test("`cdk deploy` creates every resource of the default configuration", async () => {
  await cdk(env, "deploy", "--require-approval", "never", "--output", below("first"));
  deployed = await inventory(python, env);
  const { Resources } = Template.parse(JSON.parse(await readFile(join(below("first"), "Fleetwright.template.json"), "utf8")));
  const stack = deployed.stacks["Fleetwright-fleetwright"];
  expect(stack?.status).toBe("CREATE_COMPLETE");
  expect(stack?.resources.map(({ logicalId, type, status }) => `${logicalId} ${type} ${status}`).toSorted()).toEqual(
    Object.entries(Resources)
      .map(([id, { Type }]) => `${id} ${Type} CREATE_COMPLETE`)
      .toSorted(),
  );

  // CloudFormation says so, and so do the services themselves. Only the custom resource, which is a call of end-fleet, is in none.
  const perKind = (kinds: readonly string[]): Record<string, number> =>
    Object.fromEntries([...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]));
  const { "Custom::FleetwrightInstances": custom, ...expected } = perKind(Object.values(Resources).map(({ Type }) => Type));
  expect(custom).toBe(1);
  expect(perKind(added(bootstrapped, deployed).map((each) => each.slice(0, each.indexOf(" "))))).toEqual(expected);
});

test("cfn-lint finds nothing in the template", async () => {
  const requirements = join(root, "test", "deploy", "requirements.txt");
  const tools = await pythonWith({ name: "cfn-lint", requirements }, installed);
  // W3005: CDK lets a function depend on its role, although the function names it, so that the role's policy is there as well.
  const args = [
    "-c",
    "import sys; from cfnlint.runner import main; sys.exit(main())",
    "--regions",
    "us-east-1",
    "eu-central-1",
    "--ignore-checks",
    "W3005",
  ];
  await run({ command: tools, args: [...args, "--", join(below("first"), "Fleetwright.template.json")], env, timeoutMs: 120_000 });
});

test("what has a name in documents and commands has that name", async () => {
  deployment = await findDeployment(ssmClient(settings), "fleetwright");
  const now = deployed.resources;
  const ours = (kind: string): string[] => (now[kind] ?? []).filter((name) => !bootstrapped.resources[kind]?.includes(name)).toSorted();
  const { table, incomingBucket, artifactsBucket, codeBucket, decisionsBucket, datasetsBucket } = deployment;
  expect(ours("AWS::DynamoDB::Table")).toEqual([table]);
  expect(ours("AWS::S3::Bucket")).toHaveLength(6);
  expect(ours("AWS::S3::Bucket")).toEqual(
    expect.arrayContaining([incomingBucket, artifactsBucket, codeBucket, decisionsBucket, datasetsBucket]),
  );
  expect(ours("AWS::KMS::Alias")).toEqual(["alias/fleetwright/research", "alias/fleetwright/vision"]);
  const worked = ["jobs-research", "jobs-vision", "lane", "later", "outboxes", "seal", "shards"];
  const queues = [...worked, ...[...worked, "on-alarm", "on-instance", "tick"].map((name) => `dead-${name}`)];
  expect(ours("AWS::SQS::Queue")).toEqual(queues.map((name) => `fleetwright-${name}${name.endsWith("lane") ? ".fifo" : ""}`).toSorted());
  const functions = ["api", "end-fleet", "node", "on-alarm", "on-instance", "place", "rebalance-shards", "ring-later", "seal-artifact"];
  const names = [...functions, "submit-jobs", "take-outbox", "tick"].map((name) => `fleetwright-${name}`);
  expect(ours("AWS::Lambda::Function")).toEqual(names);
  const ofTeams = ["research", "vision"].map((team) => `/fleetwright/fleetwright/${team}`);
  expect(ours("AWS::Logs::LogGroup")).toEqual([...names.map((name) => `/aws/lambda/${name}`), ...ofTeams]);
  expect(ours("AWS::IAM::Role")).toEqual(
    expect.arrayContaining(["fleetwright-team-research-us-east-1", "fleetwright-team-vision-us-east-1"]),
  );
});

test("the table, the keys and the queues of teams have the settings of the template that MiniStack keeps", async () => {
  const [kms, sqs] = [kmsClient(settings), sqsClient(settings)];
  const { Table } = await documentClient(settings).send(new DescribeTableCommand({ TableName: deployment.table }));
  expect(Table).toMatchObject({ DeletionProtectionEnabled: true, GlobalSecondaryIndexes: [{ IndexName: "byTeam" }] });
  for (const team of deployment.teams) {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: `${deployment.keyAliasPrefix}${team}` }));
    expect(KeyMetadata?.KeyState).toBe("Enabled");
    expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId: KeyMetadata?.KeyId }))).KeyRotationEnabled).toBe(true);
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${deployment.jobsQueuePrefix}${team}` }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect(JSON.parse(Attributes?.["RedrivePolicy"] ?? "{}")).toMatchObject({
      deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:fleetwright-dead-jobs-${team}`,
    });
  }
});

/** Returns settings of clients that act for a team, by its role. */
async function actingFor(team: string): Promise<ClientSettings> {
  const RoleArn = `arn:aws:iam::000000000000:role/fleetwright-team-${team}-us-east-1`;
  const { Credentials: given } = await stsClient(settings).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "someone" }));
  const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "", SessionToken: sessionToken = "" } = given ?? {};
  return { ...settings, credentials: { accessKeyId, secretAccessKey, sessionToken } };
}

test("a team's role may send a job to its own queue, and to no other team's", async () => {
  const research = sqsClient(await actingFor("research"));
  const MessageBody = JSON.stringify({ id: job.job, command: ["true"], gpus: 1 });
  const { QueueUrl } = await research.send(new GetQueueUrlCommand({ QueueName: "fleetwright-jobs-research" }));
  await research.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const other = await sqsClient(settings).send(new GetQueueUrlCommand({ QueueName: "fleetwright-jobs-vision" }));
  await expect(research.send(new SendMessageCommand({ QueueUrl: other.QueueUrl, MessageBody }))).rejects.toThrow("not authorized");
});

test("the deployed functions admit the job and decide about it", async () => {
  const jobs = createJobReader({ client: documentClient(settings), table: deployment.table });
  const reason = expect.stringContaining("prices are being fetched");
  await vi.waitFor(async () => expect(await jobs.get(job)).toMatchObject({ state: "queued", reason }), { timeout: 60_000, interval: 500 });
});

test("when there are prices, the deployed functions launch an instance by the deployed template and place the job on it", async () => {
  const access = { client: documentClient(settings), table: deployment.table };
  // The tick cannot fetch them, because MiniStack has no catalogue of instance types and no prices.
  const offers = ["a", "b", "c"].map((zone) => anOffer({ zone: `us-east-1${zone}` }));
  await createCatalogueStore(access).put("gpu", aCatalogue({ offers, refreshedAtMs: Date.now() }));
  const placed = await vi.waitFor(
    async () => {
      const found = await createJobReader(access).get(job);
      expect(found).toMatchObject({ state: "placed", node: expect.stringMatching(/^i-/) });
      return found;
    },
    { timeout: 60_000, interval: 500 },
  );
  const { Reservations = [] } = await ec2Client(settings).send(new DescribeInstancesCommand({ InstanceIds: [placed?.node ?? ""] }));
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  expect(instances).toMatchObject([{ State: { Name: "running" }, InstanceType: "g5.xlarge" }]);
  const tags = Object.fromEntries((instances[0]?.Tags ?? []).map(({ Key = "", Value }) => [Key, Value]));
  expect(tags).toMatchObject({ "fleetwright:name": "fleetwright", "fleetwright:pool": "gpu", "fleetwright:team": "research" });
  expect(instances[0]?.IamInstanceProfile?.Arn).toContain(deployed.resources["AWS::IAM::InstanceProfile"]?.[0]);
  expect(deployed.resources["AWS::EC2::VPC"]).toContain(instances[0]?.VpcId);
});

test("the deployed API shows a team its job, and shows it to no other team", async () => {
  // The URL's own name cannot be resolved here, so MiniStack is called with its first part.
  const url = `${emulators.ministackUrl}/_aws/lambda-url/${new URL(deployment.apiUrl).hostname.split(".")[0]}`;
  const api = async (team: string) => apiClient({ url, sign: functionUrlSigner(stsClient(await actingFor(team)).config) });
  const call = { method: "GET", path: "/v1/teams/research/jobs/first" } as const;
  expect(await (await api("research"))(JobView, call)).toMatchObject({ team: "research", state: "placed" });
  await expect((await api("vision"))(JobView, call)).rejects.toMatchObject({
    code: "denied",
    message: "You may not act for the team research.",
  });
});

test("`cdk deploy` of the same sources, synthesized again, changes nothing", async () => {
  const output = await cdk(env, "deploy", "--require-approval", "never", "--output", below("again"));
  expect(output).toContain("(no changes)");
});

test("a deployment of another name is created beside the first, and shares nothing with it", async () => {
  const before = await inventory(python, env);
  await cdk({ ...env, FLEETWRIGHT_CONFIG: second }, "deploy", "--require-approval", "never", "--output", below("second"));
  const after = await inventory(python, env);
  expect(added(after, before)).toEqual([]);
  expect(after.stacks["Fleetwright-second"]?.status).toBe("CREATE_COMPLETE");
  ofSecond = added(before, after);
  expect(ofSecond).toHaveLength(added(bootstrapped, deployed).length);
  expect(after.resources["AWS::Lambda::Function"]).toEqual(expect.arrayContaining(["fleetwright-place", "second-place"]));
});

test("`cdk diff` of the first deployment shows no difference", async () => {
  expect(await cdk(env, "diff", "--fail", "--app", below("again"))).toContain("There were no differences");
});

test("`cdk destroy` ends the instance, keeps the table, the buckets and the keys, and leaves nothing else", async () => {
  const before = await inventory(python, env);
  expect(before.resources["AWS::EC2::Instance"]).toHaveLength(1);
  await cdk(env, "destroy", "--force", "--app", below("again"));
  const after = await inventory(python, env);
  expect(Object.keys(after.stacks).toSorted()).toEqual(["CDKToolkit", "Fleetwright-second"]);

  const kept = before.stacks["Fleetwright-fleetwright"]?.resources.filter(({ type }) =>
    ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"].includes(type),
  );
  expect(kept?.map(({ logicalId }) => logicalId.replace(/[0-9A-F]{8}$/, "")).toSorted()).toEqual([
    "BucketsArtifacts",
    "BucketsCode",
    "BucketsDatasets",
    "BucketsDecisions",
    "BucketsIncoming",
    "BucketsLogs",
    "TableItems1",
    "TeamsKeyresearch",
    "TeamsKeyvision",
  ]);
  expect(listed(after)).toEqual(
    [...listed(bootstrapped), ...ofSecond, ...(kept ?? []).map(({ type, physicalId }) => `${type} ${physicalId}`)].toSorted(),
  );
});
