import { join, resolve } from "node:path";
import type { ClientSettings } from "../aws/clients/settings.ts";
import { ssmClient } from "../aws/clients/ssm.ts";
import { findDeployment } from "../aws/deployment.ts";
import { awsErrorKind } from "../aws/errors.ts";
import { functionUrlSigner } from "../aws/request-signer.ts";
import { readAnnouncement } from "../local/announcement.ts";
import type { Deployment } from "../model/deployment.ts";
import { Fault } from "../model/fault.ts";
import type { JobReader } from "../ports/jobs.ts";
import { apiClient, type CallApi } from "./api-client.ts";
import { apiJobReader } from "./api-jobs.ts";
import type { Console } from "./console.ts";
import { whatWentWrong } from "./exit.ts";
import { type FleetApi, fleetApi } from "./fleet-api.ts";
import { withProgress } from "./progress.ts";
import { type Stores, stores } from "./stores.ts";

/** Where the local cloud keeps the emulators, its runs, and its address for the other commands. FLEETWRIGHT_HOME names another one. */
export const stateFolder = resolve(process.env["FLEETWRIGHT_HOME"] || join(import.meta.dirname, "..", "..", ".fleetwright"));

/** One deployment, as the commands reach it. */
export type Connection = Stores & {
  readonly deployment: Deployment;
  /** The local cloud's address; absent on AWS. */
  readonly endpoint?: string | undefined;
  readonly api: FleetApi;
  /** Through the API, where there is one. */
  readonly jobs: JobReader;
};

/** How the local cloud is signed to: any key will do there. */
export const localSettings = (endpoint: string): ClientSettings => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** Options that every command has. */
export type Target = { readonly name: string; readonly aws: boolean };

/**
 * Connects to the local cloud while one runs beside this checkout (unless `aws` is asked for),
 * else to AWS with the usual credentials and region. Says on `note` which one it is when that may surprise.
 */
export async function connect(target: Target, console: Pick<Console, "note" | "progress">): Promise<Connection> {
  const endpoint = target.aws ? undefined : (await readAnnouncement(stateFolder))?.endpoint;
  if (endpoint) console.note(`local cloud at ${endpoint} (--aws for AWS itself)`);
  const settings = endpoint === undefined ? {} : localSettings(endpoint);
  const shown =
    (call: CallApi): CallApi =>
    (schema, what) =>
      withProgress(console, "waiting for the API", () => call(schema, what));
  try {
    return await withProgress(console, "connecting", () => connectTo(target.name, settings, shown));
  } catch (error) {
    throw noConnection(error, { ...target, endpoint });
  }
}

const startLocal = "on this machine: keep a local cloud running in another terminal, with: npm run -s fleet local";
const useAws = "on AWS: set a region and credentials (AWS_PROFILE; or AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)";

/** Why the first call failed, and every way out of it. */
function noConnection(error: unknown, to: Target & { endpoint: string | undefined }): Fault {
  const says = (code: string, ...lines: string[]): Fault => new Fault(code, lines.join("\n  "), { cause: error });
  const why = whatWentWrong(error);
  const noDeployment = error instanceof Fault && error.code === "no-deployment";
  if (to.endpoint !== undefined) {
    if (noDeployment)
      return says("no-deployment", `the local cloud has no deployment named ${to.name}; leave --name (or FLEETWRIGHT_NAME) out`);
    return says("no-connection", `the local cloud at ${to.endpoint} does not answer (${why}); end it and start it again`);
  }
  const local = to.aws ? [] : [startLocal];
  if (error instanceof Fault) return says(error.code, why, ...local);
  if (awsErrorKind(error) === "denied") return says("denied", `AWS does not let you in: ${why}`, useAws, ...local);
  if (to.aws) return says("no-connection", `AWS could not be reached: ${why}`, useAws);
  return says("no-connection", `no local cloud is running, and AWS could not be reached: ${why}`, startLocal, useAws);
}

/** Connects to a local cloud by its address. */
export const connectLocal = (name: string, endpoint: string): Promise<Connection> => connectTo(name, localSettings(endpoint));

async function connectTo(name: string, settings: ClientSettings, shown = (call: CallApi): CallApi => call): Promise<Connection> {
  const ssm = ssmClient(settings);
  const deployment = await findDeployment(ssm, name);
  const api = fleetApi(shown(apiClient({ url: deployment.apiUrl, sign: functionUrlSigner(ssm.config) })));
  return {
    deployment,
    endpoint: settings.endpoint,
    api,
    jobs: apiJobReader(api),
    ...stores(settings, deployment),
  };
}
