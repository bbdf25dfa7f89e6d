import { join } from "node:path";
import { deploymentParameter, StoredDeployment } from "../../../events/deployment.ts";
import { jsonOf } from "../../../events/json.ts";
import type { StoredParameter } from "../../aws/account/standing.ts";
import type { ClientSettings } from "../../aws/clients/settings.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { asMeant } from "../invocation/caller-folder.ts";
import { exitCodes } from "../invocation/exit.ts";
import { isInstalled, packageRoot } from "../invocation/folders.ts";
import { apiClient } from "../session/api-client.ts";
import { localSettings, type Target } from "../session/connection.ts";
import { fleetApi } from "../session/fleet-api.ts";
import { once } from "../session/once.ts";
import { noLocalCloud, standing } from "../session/standing.ts";
import type { Console } from "../terminal/console.ts";
import { withProgress } from "../terminal/progress.ts";
import { awsAccount } from "./account.ts";
import { deployedChecks, firstChecks, needsChecks, type Place } from "./checklist.ts";
import { clockFindings } from "./checks/clock.ts";
import { accountFindings, credentialsFindings } from "./checks/credentials.ts";
import { regionFindings } from "./checks/region.ts";
import { anError, couldNotCheck } from "./findings/finding.ts";
import { needsOfDeployment, needsOfPlan } from "./needs.ts";
import { type PlannedStack, plan } from "./planned.ts";
import { type CheckReport, countsOf, factOf, reportOf, runChecks } from "./report.ts";
import { reportLines, summaryOf } from "./view.ts";

export type DoctorOptions = Target & {
  /** The configuration that is going to be deployed; undefined for that of `cdk deploy`. */
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
};

/** What a local cloud says of itself without a real thing behind it, so that findings about it mean nothing for AWS. */
const madeUpByLocalCloud: readonly string[] = [
  "the account and its credentials",
  "quotas of vCPUs and VPCs",
  "Lambda's concurrency",
  "the image of nodes, which boot from none",
  "the role for spot requests",
  "actions of alarms",
];

/** `stage`: whether the deployment exists. If it is unknown, or none exists, what the configuration needs was checked. */
export type Diagnosis = { readonly stage: "deployed" | "not-deployed" | "unknown"; readonly reports: readonly CheckReport[] };

type Output = Pick<Console, "out" | "note" | "progress" | "paint">;

/** Checks the account, and the deployment if there is one. Returns 1 if it found an error. */
export async function doctor({ json, config, ...target }: DoctorOptions, console: Output): Promise<number> {
  const { choice } = await standing(target.aws ? "aws" : target.local ? "local" : undefined);
  if (choice.kind === "gone") throw noLocalCloud(choice.last);
  const settings = choice.kind === "local" ? localSettings(choice.cloud.endpoint) : {};
  const isLocal = choice.kind === "local";
  if (choice.kind === "local") console.note(`local cloud at ${choice.cloud.endpoint}, which makes up: ${madeUpByLocalCloud.join("; ")}`);
  const { stage, reports } = await withProgress(console, "checking", () =>
    diagnose({ settings, name: target.name, isLocal, config, note: console.note }),
  );
  const counts = countsOf(reports);
  const madeUp = isLocal ? madeUpByLocalCloud : [];
  if (json) console.out(JSON.stringify({ name: target.name, stage, madeUp, counts, checks: reports }));
  else printReports({ stage, reports }, target.name, console);
  return counts.error > 0 ? exitCodes.failed : exitCodes.ok;
}

function printReports({ stage, reports }: Diagnosis, name: string, console: Output): void {
  if (stage === "not-deployed") console.note(`there is no deployment ${name} yet: only what needs none was checked, for the configuration`);
  for (const line of reportLines(reports, console.paint)) console.out(line);
  console.out("");
  console.out(summaryOf(reports));
}

type Patient = {
  readonly settings: ClientSettings;
  readonly name: string;
  readonly isLocal: boolean;
  readonly config: string | undefined;
  readonly note: (line: string) => void;
};

/** Makes all checks. Without a region, or if the credentials do not work, nothing else can be checked. */
export async function diagnose(patient: Patient): Promise<Diagnosis> {
  const account = awsAccount(patient.settings);
  const region = await factOf(() => account.region());
  const findings = "value" in region ? regionFindings(region.value) : [couldNotCheck("region", region.unknown)];
  const first = [reportOf({ check: "region", title: "region" }, findings)];
  if ("unknown" in region || !region.value) return { stage: "unknown", reports: [...first, nothingElse("no region is set")] };
  const who = await account.whoAmI();
  const clock = reportOf({ check: "clock", title: "clock" }, clockFindings(who.clocks));
  if (!("caller" in who)) {
    const credentials = reportOf(credentialsTitle, credentialsFindings(who));
    return { stage: "unknown", reports: [...first, credentials, clock, nothingElse("no call of AWS succeeds")] };
  }
  const { account: accountId } = who.caller;
  if (!patient.isLocal) patient.note(`AWS account ${accountId}, region ${region.value}`);
  const place: Place = { account, accountId, region: region.value, nowMs: Date.now(), isLocal: patient.isLocal };
  const stored = await factOf(() => account.parameter(deploymentParameter(patient.name)));
  const arn = "value" in stored ? stored.value?.arn : undefined;
  first.push(reportOf(credentialsTitle, arn === undefined ? [] : accountFindings(accountId, arn)), clock);
  const rest =
    "value" in stored && stored.value ? await diagnoseDeployed(place, patient.name, stored.value) : await diagnosePlanned(place, patient);
  if ("value" in stored) return { stage: stored.value ? "deployed" : "not-deployed", reports: [...first, ...rest] };
  const unread = reportOf(deploymentTitle, [couldNotCheck("deployment", stored.unknown)]);
  return { stage: "unknown", reports: [...first, unread, ...rest] };
}

async function diagnoseDeployed(place: Place, name: string, { value, changedAtMs }: StoredParameter): Promise<readonly CheckReport[]> {
  const { data: deployment } = StoredDeployment.safeParse(jsonOf(value));
  if (!deployment) {
    const says = `the parameter ${deploymentParameter(name)} was written by another release, or damaged`;
    const report = reportOf(deploymentTitle, [anError("deployment.unreadable", says, "npx cdk deploy")]);
    return [report, nothingElse("what is deployed cannot be read")];
  }
  const api = fleetApi(apiClient({ url: deployment.apiUrl, sign: place.account.sign, timeoutMs: 8_000, maxTries: 2 }));
  const facts = needsOfDeployment(name, place.account, api);
  const checks = [...needsChecks(place, facts), ...deployedChecks({ ...place, deployment, changedAtMs, api, facts })];
  return [reportOf(deploymentTitle, []), ...(await runChecks(checks))];
}

async function diagnosePlanned(place: Place, { name, config, note }: Patient): Promise<readonly CheckReport[]> {
  const planned = once(() => planOf(config, note));
  return runChecks([...firstChecks({ ...place, name }, planned), ...needsChecks(place, needsOfPlan(planned, place.account))]);
}

async function planOf(config: string | undefined, note: (line: string) => void): Promise<PlannedStack> {
  if (isInstalled) throw new FleetError("no-checkout", "what the stack needs is read from its template, which only a checkout can make");
  try {
    return await plan(config === undefined ? join(packageRoot, "cdk", "fleet.config.ts") : asMeant(config), note);
  } catch (cause) {
    throw new FleetError("unusable", "the stack of the configuration could not be synthesized", { cause });
  }
}

const credentialsTitle = { check: "credentials", title: "credentials" };
const deploymentTitle = { check: "deployment", title: "deployment" };

const nothingElse = (why: string): CheckReport => reportOf({ check: "rest", title: "everything else" }, [couldNotCheck("rest", why)]);
