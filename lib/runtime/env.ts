import * as z from "zod";
import { Fault } from "../model/fault.ts";

/**
 * What each function needs from its environment. `cdk/` sets exactly these variables, by type: a missing one fails
 * the compiler, not a deployed function.
 */
const table = { TABLE: z.string().min(1) };
const bell = { ...table, LANE_QUEUE_URL: z.url() };

/** Where nodes may run: one subnet a zone. */
const subnets = { SUBNETS: z.string().transform(json(z.array(z.object({ zone: z.string(), subnet: z.string() })).min(1))) };
/** Every team's KMS key has this prefix and the team's name as alias. */
const keys = { KEY_ALIAS_PREFIX: z.string().startsWith("alias/") };

/** Where datasets lie, and where somebody is asked to look at them. */
const shards = { SHARDS_QUEUE_URL: z.url() };
const data = { ...shards, DATASETS_BUCKET: z.string().min(1) };

export const Environments = {
  "submit-jobs": z.object({ ...bell, /** A team's queue is named by this and the team. */ JOBS_QUEUE_PREFIX: z.string().min(1) }),
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
    /** The name of the role that instances have; nobody else may call. */
    INSTANCE_ROLE: z.string().min(1),
    LOG_GROUP_PREFIX: z.string().min(1),
    /** Where the boot script's downloads lie: `bucket/key`. */
    WORKER_ASSET: z.string().regex(/^[^/]+\/.+$/),
    NODE_ASSET: z.string().regex(/^[^/]+\/.+$/),
  }),
  "seal-artifact": z.object({ ...table, ...keys, INCOMING_BUCKET: z.string().min(1), ARTIFACTS_BUCKET: z.string().min(1) }),
  "on-instance": z.object(bell),
  "on-alarm": z.object(bell),
  api: z.object({ ...bell, ...data, LOG_GROUP_PREFIX: z.string().min(1), DECISIONS_BUCKET: z.string().min(1) }),
  "rebalance-shards": z.object({ ...table, ...data }),
  "end-fleet": z.object({}),
  tick: z.object({ ...bell, ...subnets, ...shards, SEAL_QUEUE_URL: z.url() }),
};

export type FunctionName = keyof typeof Environments;
export type Environment<F extends FunctionName> = z.infer<(typeof Environments)[F]>;
/** What `cdk/` has to set for a function. */
export type EnvironmentVariables<F extends FunctionName> = z.input<(typeof Environments)[F]>;

/** The environment of one function; throws a Fault that names every variable that is missing or wrong. */
export function environment<F extends FunctionName>(name: F, variables: Record<string, string | undefined>): Environment<F> {
  const parsed = Environments[name].safeParse(variables);
  if (!parsed.success) throw new Fault("environment", `The environment of ${name} is not complete:\n${z.prettifyError(parsed.error)}`);
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
