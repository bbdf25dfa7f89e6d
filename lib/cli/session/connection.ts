import { join } from "node:path";
import { functionUrlSigner } from "../../aws/access/request-signer.ts";
import type { ClientSettings } from "../../aws/clients/settings.ts";
import { ssmClient } from "../../aws/clients/ssm.ts";
import { findDeployment } from "../../aws/deployment.ts";
import { awsErrorKind } from "../../aws/errors.ts";
import type { Announcement } from "../../local/announcement.ts";
import type { Deployment } from "../../model/deployment.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { JobReader } from "../../ports/jobs.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import { startLocalLine } from "../invocation/invocation.ts";
import type { Console } from "../terminal/console.ts";
import { withProgress } from "../terminal/progress.ts";
import { apiClient, type CallApi } from "./api-client.ts";
import { apiJobReader } from "./api-jobs.ts";
import { type FleetApi, fleetApi } from "./fleet-api.ts";
import { once } from "./once.ts";
import { noLocalCloud, standing } from "./standing.ts";
import { type Stores, stores } from "./stores.ts";
import type { TargetChoice } from "./target.ts";

/** A connection to one deployment. */
export type Connection = Stores & {
  readonly deployment: Deployment;
  /** The local cloud's address; undefined on AWS. */
  readonly endpoint?: string | undefined;
  readonly api: FleetApi;
  /** Reads jobs through the API. */
  readonly jobs: JobReader;
};

/** Client settings for the local cloud, which accepts any credentials. */
export const localSettings = (endpoint: string): ClientSettings => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** Options that every command has. */
export type Target = { readonly name: string; readonly aws: boolean; readonly local: boolean };

/**
 * Connects to the deployment that `choose` selects. Prints a note if it is on a local cloud. On AWS, looks up and prints the account
 * before the first call that writes.
 */
export async function connect(target: Target, console: Pick<Console, "note" | "progress">): Promise<Connection> {
  const { choice } = await standing(target.aws ? "aws" : target.local ? "local" : undefined);
  if (choice.kind === "gone") throw noLocalCloud(choice.last);
  const cloud = choice.kind === "local" ? choice.cloud : undefined;
  if (cloud) console.note(`local cloud at ${cloud.endpoint}`);
  const settings = cloud ? localSettings(cloud.endpoint) : {};
  const sayWhere = once(async () => {
    if (!cloud) console.note(await awsInWords(settings, target.name));
  });
  const seen = (call: CallApi): CallApi => {
    return async (schema, what) => {
      if (what.method !== "GET") await sayWhere();
      try {
        return await withProgress(console, "waiting for the API", () => call(schema, what));
      } catch (error) {
        throw await orItsEnd(error, cloud);
      }
    };
  };
  try {
    return await withProgress(console, "connecting", () =>
      connectTo(target.name, settings, { seen, sayWhere, runFolder: cloud?.runFolder }),
    );
  } catch (error) {
    throw noConnection(error, { name: target.name, choice });
  }
}

/** Returns the error, or a FleetError if the local cloud has ended since the command began. The error alone does not show that. */
async function orItsEnd(error: unknown, cloud: Announcement | undefined): Promise<unknown> {
  if (cloud === undefined || !(error instanceof FleetError && error.code === "api-unreachable")) return error;
  const { choice } = await standing("local");
  if (choice.kind === "local" && choice.cloud.endpoint === cloud.endpoint) return error;
  const gone = "ended while this command ran, and its jobs, logs, artifacts and datasets are gone";
  return new FleetError("local-cloud-ended", `the local cloud at ${cloud.endpoint} ${gone}`, { cause: error });
}

/** `AWS account 123456789012, region eu-west-1, deployment fleetwright`. If STS does not return the account, the text says so. */
async function awsInWords(settings: ClientSettings, name: string): Promise<string> {
  const { callerAccount, stsClient } = await import("../../aws/clients/sts.ts");
  const sts = stsClient({ ...settings, maxAttempts: 1 });
  const [account, region] = await Promise.all([
    callerAccount(sts).catch((error: unknown) => `unknown (STS did not return it: ${whatWentWrong(error)})`),
    sts.config.region().catch(() => "unknown"),
  ]);
  return `AWS account ${account}, region ${region}, deployment ${name}`;
}

const useAws = "on AWS: set a region and credentials (AWS_PROFILE; or AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)";

/** Returns a FleetError that says why the first call failed, and lists everything that the user can do. */
function noConnection(error: unknown, { name, choice }: { name: string; choice: TargetChoice }): FleetError {
  const says = (code: string, ...lines: string[]): FleetError => new FleetError(code, lines.join("\n  "), { cause: error });
  const why = whatWentWrong(error);
  if (choice.kind === "local") {
    if (error instanceof FleetError && error.code === "no-deployment")
      return says("no-deployment", `the local cloud has no deployment named ${name}; omit --name, and unset FLEETWRIGHT_NAME`);
    return says("no-connection", `the local cloud at ${choice.cloud.endpoint} does not respond (${why}); end it and start it again`);
  }
  // A user who chose AWS explicitly needs no hint about local clouds.
  const local = choice.because === "clouds" ? [`on this machine: keep a local cloud running in another terminal: ${startLocalLine()}`] : [];
  if (error instanceof FleetError) return says(error.code, why, ...local);
  if (awsErrorKind(error) === "denied") return says("denied", `AWS denied access: ${why}`, useAws, ...local);
  if (local.length === 0) return says("no-connection", `AWS could not be reached: ${why}`, useAws);
  return says("no-connection", `no local cloud is running, and AWS could not be reached: ${why}`, ...local, useAws);
}

/** Connects to the local cloud at an address. */
export const connectLocal = (name: string, endpoint: string): Promise<Connection> => connectTo(name, localSettings(endpoint));

type Seams = {
  /** Wraps every call of the API. */
  readonly seen: (call: CallApi) => CallApi;
  /** Runs before a write that does not go through the API. */
  readonly sayWhere: () => Promise<void>;
  readonly runFolder: string | undefined;
};

const noSeams: Seams = { seen: (call) => call, sayWhere: async () => undefined, runFolder: undefined };

async function connectTo(name: string, settings: ClientSettings, { seen, sayWhere, runFolder }: Seams = noSeams): Promise<Connection> {
  const ssm = ssmClient(settings);
  const deployment = await findDeployment(ssm, name);
  const log = runFolder === undefined ? `log group /aws/lambda/${deployment.name}-api` : join(runFolder, "functions.log");
  const api = fleetApi(seen(apiClient({ url: deployment.apiUrl, sign: functionUrlSigner(ssm.config), log })));
  return {
    deployment,
    endpoint: settings.endpoint,
    api,
    jobs: apiJobReader(api),
    ...stores(settings, deployment, sayWhere),
  };
}
