import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { outboxKey } from "../../../events/outbox/outbox.ts";
import type { EnvironmentVariables, FunctionName } from "../../../lib/runtime/env.ts";
import { nodePath } from "./empty-services.ts";

const samples = join(import.meta.dirname, "..", "..", "..", "events", "samples");
const account = "123456789012";
const instance = "i-0abcd1234ef567890";
const roleId = "AROAEXAMPLE1234567890";

/**
 * Returns an event for each function whose call ends early, because it is about something that the empty table does not have: an unknown node, job or
 * dataset, a job that is rejected, a pool without work. So each call reads the table, and loads what every call needs.
 */
export async function firstCalls(servicesUrl: string): Promise<Readonly<Record<FunctionName, object>>> {
  const sample = async (name: string) =>
    z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(samples, `${name}.json`), "utf8")));
  const key = outboxKey({ role: roleId, node: instance, team: "research", job: "unknown", attempt: 1 });
  const created = z.looseObject({ detail: z.looseObject({ object: z.looseObject({}) }) }).parse(await sample("object-created"));
  const outbox = { ...created, detail: { ...created.detail, object: { ...created.detail.object, key } } };
  return {
    node: urlCall({ role: "nodes", session: instance }, await sample("node-report")),
    "submit-jobs": message("fleetwright-jobs-research", { command: ["true"], unknown: 1 }),
    place: message("lane.fifo", { pool: "gpu" }),
    "on-instance": await sample("instance-state-change"),
    api: { ...urlCall({ role: "fleetwright-team-research-us-east-1", session: "vera" }), rawPath: "/v1/teams/research/jobs/unknown" },
    "on-alarm": await sample("alarm-state-change"),
    "rebalance-shards": message("shards", await sample("rebalance-shards")),
    "ring-later": message("later", { pool: "gpu" }),
    "seal-artifact": message("seal", await sample("seal-again")),
    "take-outbox": message("outboxes", outbox),
    "end-fleet": { ...(await sample("stack-delete")), RequestType: "Create", ResponseURL: `${servicesUrl}/response` },
    tick: await sample("tick"),
  };
}

/** A batch of one message, as Lambda passes it on from SQS. */
const message = (queue: string, body: object) => ({
  Records: [
    {
      messageId: "00000000-0000-4000-8000-000000000001",
      receiptHandle: "receipt",
      body: JSON.stringify(body),
      attributes: { SentTimestamp: "1795511702000", ApproximateReceiveCount: "1", MessageGroupId: "gpu" },
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:${account}:${queue}`,
    },
  ],
});

const urlCall = ({ role, session }: { readonly role: string; readonly session: string }, body?: object) => ({
  version: "2.0",
  rawPath: "/",
  rawQueryString: "",
  headers: { "content-type": "application/json" },
  isBase64Encoded: false,
  ...(body && { body: JSON.stringify(body) }),
  requestContext: {
    accountId: account,
    requestId: "00000000-0000-4000-8000-000000000001",
    domainName: "abc.lambda-url.us-east-1.on.aws",
    http: { method: "GET", path: "/" },
    authorizer: { iam: { userArn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`, accountId: account } },
  },
});

/** Returns the environment of every function: all variables of the deployed ones, and those that Lambda sets. */
export function environmentOf(servicesUrl: string): Readonly<Record<string, string>> {
  const queue = (name: string): string => `${servicesUrl}/${account}/${name}`;
  const deployed: EnvironmentVariables<"node"> &
    EnvironmentVariables<"place"> &
    EnvironmentVariables<"submit-jobs"> &
    EnvironmentVariables<"seal-artifact"> &
    EnvironmentVariables<"tick"> = {
    TABLE: "fleetwright",
    LANE_QUEUE_URL: queue("lane.fifo"),
    LATER_QUEUE_URL: queue("later"),
    SHARDS_QUEUE_URL: queue("shards"),
    SEAL_QUEUE_URL: queue("seal"),
    OUTBOXES_QUEUE_URL: queue("outboxes"),
    JOBS_QUEUE_PREFIX: "fleetwright-jobs-",
    SUBNETS: '[{"zone":"us-east-1a","subnet":"subnet-1"}]',
    LAUNCH_TEMPLATES: '{"gpu":"lt-1"}',
    DECISIONS_BUCKET: "decisions",
    DATASETS_BUCKET: "datasets",
    INCOMING_BUCKET: "incoming",
    ARTIFACTS_BUCKET: "artifacts",
    KEY_ALIAS_PREFIX: "alias/fleetwright/",
    LOG_GROUP_PREFIX: "/fleetwright/jobs/",
    JOB_ROLE_ARN: `arn:aws:iam::${account}:role/jobs`,
    INSTANCE_ROLE: "nodes",
    NODES_ROLE_ID: roleId,
    CANARY_ROLE: "canary",
    WORKER_ASSET: "assets/worker.mjs",
    NODE_ASSET: "assets/node",
    NODE_URL: `${servicesUrl}${nodePath}`,
  };
  return {
    ...deployed,
    AWS_ENDPOINT_URL: servicesUrl,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_SESSION_TOKEN: "bench",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: "bench",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1024",
  };
}
