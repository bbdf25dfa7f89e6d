import * as z from "zod";
import { PoolName } from "../../events/names.ts";
import { FleetError } from "../model/fleet-error.ts";

/** What the worker needs from its environment. On an instance the systemd unit sets it, and the local cloud sets it for its processes. */
const Environment = z.object({
  /** The `node` function's URL. */
  FLEETWRIGHT_NODE_URL: z.url(),
  FLEETWRIGHT_POOL: PoolName,
  AWS_REGION: z.string().min(1),
  FLEETWRIGHT_FOLDER: z.string().startsWith("/").default("/var/lib/fleetwright"),
  /** The user that runs jobs. If undefined, the worker's own user runs them. */
  FLEETWRIGHT_JOB_USER: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .optional(),
  /** A shell command that ends the instance. If undefined, the worker only exits. */
  FLEETWRIGHT_SHUTDOWN: z.string().min(1).optional(),
  /** The URL of S3 and Logs in a local cloud; undefined on AWS. The SDK reads it too. */
  AWS_ENDPOINT_URL: z.url().optional(),
  /** The URL of the instance's metadata service. The SDK reads it too, for credentials. */
  AWS_EC2_METADATA_SERVICE_ENDPOINT: z.url().default("http://169.254.169.254"),
  PATH: z.string().min(1).default("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
});

export type WorkerEnvironment = {
  readonly nodeUrl: string;
  readonly pool: string;
  readonly region: string;
  readonly folder: string;
  readonly jobUser?: string | undefined;
  readonly shutdownCommand?: string | undefined;
  /** True in a local cloud, whose buckets must be addressed by path. */
  readonly local: boolean;
  /** Without a slash at its end. */
  readonly metadataUrl: string;
  /** The search path of jobs. */
  readonly path: string;
};

/** Reads the worker's environment. Throws a FleetError that names every variable that is missing or invalid. */
export function workerEnvironment(variables: Readonly<Record<string, string | undefined>>): WorkerEnvironment {
  const parsed = Environment.safeParse(variables);
  if (!parsed.success)
    throw new FleetError(
      "environment",
      `The worker's environment is missing variables or has invalid ones:\n${z.prettifyError(parsed.error)}`,
    );
  const env = parsed.data;
  return {
    nodeUrl: env.FLEETWRIGHT_NODE_URL,
    pool: env.FLEETWRIGHT_POOL,
    region: env.AWS_REGION,
    folder: env.FLEETWRIGHT_FOLDER,
    jobUser: env.FLEETWRIGHT_JOB_USER,
    shutdownCommand: env.FLEETWRIGHT_SHUTDOWN,
    local: env.AWS_ENDPOINT_URL !== undefined,
    metadataUrl: env.AWS_EC2_METADATA_SERVICE_ENDPOINT.replace(/\/+$/, ""),
    path: env.PATH,
  };
}
