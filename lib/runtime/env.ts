import * as z from "zod";
import { FleetError } from "../model/fleet-error.ts";

/**
 * The environment variables that each function needs. Types make `cdk/` set exactly these, so that a missing variable fails
 * the compiler and not a deployed function.
 */
const table = { TABLE: z.string().min(1) };
const bell = { ...table, LANE_QUEUE_URL: z.url() };

/** The subnets in which nodes may run, one per zone. */
const subnets = { SUBNETS: z.string().transform(json(z.array(z.object({ zone: z.string(), subnet: z.string() })).min(1))) };
/** The prefix of the aliases of teams' KMS keys; the team's name follows. */
const keys = { KEY_ALIAS_PREFIX: z.string().startsWith("alias/") };

/** The queue that requests work on datasets, and the bucket that holds them. */
const shards = { SHARDS_QUEUE_URL: z.url() };
const data = { ...shards, DATASETS_BUCKET: z.string().min(1) };

export const Environments = {
  "submit-jobs": z.object({ ...bell, /** The prefix of the teams' queues. */ JOBS_QUEUE_PREFIX: z.string().min(1) }),
  place: z.object({
    ...bell,
    ...subnets,
    LATER_QUEUE_URL: z.url(),
    DECISIONS_BUCKET: z.string().min(1),
    /** The launch template of each pool. */
    LAUNCH_TEMPLATES: z.string().transform(json(z.record(z.string(), z.string()))),
  }),
  "ring-later": z.object(bell),
  node: z.object({
    ...bell,
    ...keys,
    ...data,
    INCOMING_BUCKET: z.string().min(1),
    JOB_ROLE_ARN: z.string().min(1),
    /** The name of the instances' role. Callers with any other role are refused. */
    INSTANCE_ROLE: z.string().min(1),
    /** The unique id of that role, with which its callers' user ids begin. */
    NODES_ROLE_ID: z.string().min(1),
    /** The name of the role that may make canary calls. */
    CANARY_ROLE: z.string().min(1),
    LOG_GROUP_PREFIX: z.string().min(1),
    /** The boot script's downloads, as `bucket/key`. */
    WORKER_ASSET: z.string().regex(/^[^/]+\/.+$/),
    NODE_ASSET: z.string().regex(/^[^/]+\/.+$/),
  }),
  "seal-artifact": z.object({ ...table, ...keys, INCOMING_BUCKET: z.string().min(1), ARTIFACTS_BUCKET: z.string().min(1) }),
  "take-outbox": z.object({
    ...bell,
    ...keys,
    ...shards,
    SEAL_QUEUE_URL: z.url(),
    INCOMING_BUCKET: z.string().min(1),
    /** As for `node`. Only objects below the user ids of this role's instances are taken in. */
    NODES_ROLE_ID: z.string().min(1),
  }),
  "on-instance": z.object(bell),
  "on-alarm": z.object(bell),
  api: z.object({ ...bell, ...data, LOG_GROUP_PREFIX: z.string().min(1), DECISIONS_BUCKET: z.string().min(1) }),
  "rebalance-shards": z.object({ ...table, ...data }),
  "end-fleet": z.object({}),
  tick: z.object({
    ...bell,
    ...subnets,
    ...shards,
    SEAL_QUEUE_URL: z.url(),
    OUTBOXES_QUEUE_URL: z.url(),
    INCOMING_BUCKET: z.string().min(1),
    /** As for `node`. */
    NODES_ROLE_ID: z.string().min(1),
    NODE_URL: z.url(),
  }),
};

export type FunctionName = keyof typeof Environments;
export type Environment<F extends FunctionName> = z.infer<(typeof Environments)[F]>;
/** The variables that `cdk/` must set for a function. */
export type EnvironmentVariables<F extends FunctionName> = z.input<(typeof Environments)[F]>;

/** Returns the environment of a function. Throws a FleetError that names every variable that is missing or wrong. */
export function environment<F extends FunctionName>(name: F, variables: Record<string, string | undefined>): Environment<F> {
  const parsed = Environments[name].safeParse(variables);
  if (!parsed.success) throw new FleetError("environment", `The environment of ${name} is incomplete:\n${z.prettifyError(parsed.error)}`);
  return parsed.data as Environment<F>;
}

function json<T>(schema: z.ZodType<T>) {
  return (text: string, context: z.core.$RefinementCtx<string>): T => {
    try {
      const parsed = schema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: z.prettifyError(parsed.error) });
    } catch {
      context.addIssue({ code: "custom", message: "is not JSON" });
    }
    return z.NEVER;
  };
}
